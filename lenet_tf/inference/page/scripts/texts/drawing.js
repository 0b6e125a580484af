/** Texts of the pad, the test images, the answer and the choice of a network. */

export const drawing = {
  padHeading: {en: "Draw a digit", ko: "숫자를 그려 보세요"},
  padHeadingPicture: {en: "Draw a picture", ko: "그림을 그려 보세요"},
  padHint: {en: "Draw a digit here", ko: "여기에 숫자를 그리세요"},
  padHintPicture: {en: "Draw here", ko: "여기에 그리세요"},
  padLabel: {en: "Drawing pad", ko: "그리기 영역"},
  padKeys: {
    en: "Arrow keys move the pen, space puts it down or lifts it, Backspace undoes, Delete clears."
      + " With Shift the pen moves in small steps.",
    ko: "화살표 키로 펜을 옮기고, 스페이스바로 펜을 내리거나 듭니다. Backspace는 실행 취소, Delete는"
      + " 모두 지우기입니다. Shift를 함께 누르면 조금씩 움직입니다.",
  },
  penDown: {en: "Pen down", ko: "펜을 내렸습니다"},
  penUp: {en: "Pen up", ko: "펜을 들었습니다"},
  undo: {en: "Undo", ko: "실행 취소"},
  redo: {en: "Redo", ko: "다시 실행"},
  clear: {en: "Clear", ko: "지우기"},
  penWidth: {en: "Pen width", ko: "펜 굵기"},
  penColor: {en: "Pen color", ko: "펜 색"},

  seenHeading: {en: "What the network sees", ko: "신경망이 보는 이미지"},
  seenNothing: {en: "Nothing yet", ko: "아직 아무것도 없습니다"},
  seenDrawing: {en: "Your drawing", ko: "직접 그린 그림"},
  seenFile: {en: "Your picture", ko: "불러온 사진"},
  seenChanged: {en: "Changed by “Break it”", ko: "‘망가뜨려 보기’에서 바뀐 이미지"},
  exampleName: {en: "Test image {number}, label {name}", ko: "테스트 이미지 {number}번, 정답 {name}"},
  explainDigit: {
    en: "{size} gray pixels. As in MNIST, the digit is scaled into a box of 20×20 and its center of"
      + " mass is moved to the middle. Thin strokes are widened.",
    ko: "{size} 회색조 픽셀입니다. MNIST처럼 숫자를 20×20 상자에 맞추고 무게 중심을 가운데로"
      + " 옮깁니다. 가는 획은 굵게 만듭니다.",
  },
  explainExample: {
    en: "{size} pixels, as they are in the data set. The network wasn't trained on this image.",
    ko: "데이터셋에 있는 그대로의 {size} 픽셀입니다. 이 이미지는 학습에 쓰이지 않았습니다.",
  },
  explainGray: {
    en: "{size} gray pixels: the picture is cropped to this shape and scaled down.",
    ko: "{size} 회색조 픽셀입니다. 그림을 이 비율로 자르고 축소합니다.",
  },
  explainColors: {
    en: "{size} pixels in color: the picture is cropped to this shape and scaled down.",
    ko: "{size} 컬러 픽셀입니다. 그림을 이 비율로 자르고 축소합니다.",
  },

  answerHeading: {en: "The answer", ko: "신경망의 답"},
  answerHeadingExample: {
    en: "The answer to test image {number}", ko: "테스트 이미지 {number}번에 대한 답",
  },
  answerEmpty: {
    en: "Draw a digit, and the answer appears here.",
    ko: "숫자를 그리면 여기에 답이 나타납니다.",
  },
  answerEmptyPicture: {
    en: "Draw something, and the answer appears here.",
    ko: "무언가를 그리면 여기에 답이 나타납니다.",
  },
  answerProbability: {en: "with a probability of {share}", ko: "확률 {share}"},
  answerRight: {en: "Correct: the label is {name}", ko: "맞았습니다: 정답 {name}"},
  answerWrong: {en: "Wrong: the label is {name}", ko: "틀렸습니다: 정답 {name}"},
  notDigit: {en: "This doesn't look like a digit.", ko: "숫자처럼 보이지 않습니다."},
  notDigitNearest: {
    en: "It looks most like {name} ({share}).", ko: "가장 비슷한 것은 {name}입니다({share}).",
  },
  drawLarger: {en: "Draw it larger.", ko: "더 크게 그려 보세요."},
  barsLabel: {en: "Probability of each class", ko: "클래스별 확률"},
  labelMark: {en: "label", ko: "정답"},
  announceAnswer: {en: "{name}, {share}.", ko: "{name}, {share}."},

  refusedNothing: {
    en: "Nothing stands out from the background.",
    ko: "배경과 구별되는 것이 없습니다.",
  },
  refusedSeveral: {
    en: "There are several digits. The network reads one at a time.",
    ko: "숫자가 여러 개 있습니다. 신경망은 한 번에 하나만 읽습니다.",
  },
  refusedDot: {
    en: "This is a dot or a filled area, not a digit.",
    ko: "숫자가 아니라 점이나 색칠된 면입니다.",
  },
  refusedOther: {
    en: "No digit was found in this picture.", ko: "이 사진에서 숫자를 찾지 못했습니다.",
  },
  refusedFile: {
    en: "This file isn't a picture that the browser can read. Try a PNG or JPEG file.",
    ko: "브라우저가 읽을 수 있는 그림 파일이 아닙니다. PNG나 JPEG 파일을 써 보세요.",
  },

  sourcesHeading: {en: "Or choose a test image", ko: "또는 테스트 이미지를 골라 보세요"},
  filesHeading: {en: "Or open a picture", ko: "또는 사진을 열어 보세요"},
  randomExample: {en: "Random test image", ko: "무작위 테스트 이미지"},
  chooseFile: {en: "Open a picture…", ko: "사진 열기…"},
  takePhoto: {en: "Take a photo…", ko: "사진 찍기…"},
  dropHint: {en: "You can also drop or paste one.", ko: "끌어다 놓거나 붙여 넣어도 됩니다."},
  examplesLabel: {en: "Test images", ko: "테스트 이미지"},
  examplesOpen: {en: "{count} test images", ko: "테스트 이미지 {count}개"},
  misread: {en: "{name}, misread as {answer}", ko: "{name}, 오답 {answer}"},
  misreadNote: {
    en: "× marks those that {network} misreads.",
    ko: "×: {network}의 오답",
  },

  networksHeading: {en: "Compare networks", ko: "신경망 비교"},
  networkHeading: {en: "Network", ko: "신경망"},
  networksNote: {
    en: "Each card shows that network's answer to the same image. Choose one to look inside.",
    ko: "같은 이미지에 대한 각 신경망의 답입니다. 하나를 고르면 그 안을 볼 수 있습니다.",
  },
  parametersFact: {en: "{count} parameters", ko: "파라미터 {count}개"},
  testFact: {
    en: "Test error {error} [{low}–{high}], {errors} of {images}",
    ko: "테스트 오류율 {error} [{low}–{high}], {images}개 중 {errors}개",
  },
  rowFact: {
    en: "Row {name}: {mean} ± {sd}, {seeds} runs",
    ko: "{name} 행: {mean} ± {sd}, 학습 {seeds}회",
  },
  intervalNote: {
    en: "In brackets: 95% confidence interval. ±: standard deviation over runs.",
    ko: "대괄호는 95% 신뢰 구간, ±는 여러 학습 사이의 표준편차입니다.",
  },
  "name lenet5-1998-mnist": {en: "LeNet-5 as published, 1998", ko: "1998년 논문의 LeNet-5"},
  "name lenet5-mnist": {en: "LeNet-5 of the tutorials", ko: "튜토리얼의 LeNet-5"},
  "name lenet5-modern-mnist": {en: "LeNet-5, modern recipe", ko: "현대식으로 학습한 LeNet-5"},
  "title lenet5-1998-mnist": {
    en: "Trainable subsampling, C3's connection table, RBF outputs, as in the paper.",
    ko: "논문처럼 학습하는 서브샘플링, C3 연결표, RBF 출력을 씁니다.",
  },
  "title lenet5-mnist": {
    en: "Tanh and average pooling: what most tutorials call LeNet-5.",
    ko: "tanh와 평균 풀링: 대부분의 튜토리얼에서 LeNet-5라고 부르는 신경망입니다.",
  },
  "title lenet5-modern-mnist": {
    en: "ReLU and max pooling, trained with distorted images.",
    ko: "ReLU와 최대 풀링을 쓰고, 변형한 이미지로 학습했습니다.",
  },
};
