/** Texts of "Break it". */

export const trials = {
  trialsLead: {
    en: "Change the picture or the network. How far can you go before the answer changes?",
    ko: "그림이나 신경망을 바꿔 보세요. 어디까지 바꾸면 답이 달라질까요?",
  },
  trialsResult: {en: "What happens", ko: "결과"},
  trialsChanges: {en: "Changes", ko: "바꾸기"},
  trialsAccuracy: {en: "Accuracy under these changes", ko: "이렇게 바꿨을 때의 정확도"},
  trialsMaps: {en: "Switch off maps", ko: "특징 맵 끄기"},
  trialsSaliency: {en: "Which pixels matter?", ko: "어떤 픽셀이 중요할까요?"},
  trialsResetAll: {en: "Reset all", ko: "모두 되돌리기"},
  trialsEmpty: {
    en: "Nothing is drawn yet. Draw a digit above, or take one:",
    ko: "아직 그린 것이 없습니다. 위에서 숫자를 그리거나 테스트 이미지를 불러오세요.",
  },
  trialsEmptyPicture: {
    en: "Nothing is drawn yet. Draw or open a picture above, or take one:",
    ko: "아직 그린 것이 없습니다. 위에서 그림을 그리거나 사진을 열거나 테스트 이미지를 불러오세요.",
  },
  takeExample: {en: "Take a test image", ko: "테스트 이미지 불러오기"},
  pictureLabel: {en: "The changed picture", ko: "바뀐 그림"},
  pictureHint: {
    en: "Press or drag on the picture to cover a part of it.",
    ko: "그림을 누르거나 끌면 그 부분이 가려집니다.",
  },
  answersClass: {en: "Class", ko: "클래스"},
  answersBefore: {en: "Unchanged", ko: "바꾸기 전"},
  answersNow: {en: "Changed", ko: "바꾼 뒤"},
  verdictSame: {en: "The answer is {is} ({now}).", ko: "답은 {is}입니다({now})."},
  verdictKept: {
    en: "The answer is still {is} ({before} → {now}).",
    ko: "답은 그대로 {is}입니다({before} → {now}).",
  },
  verdictFlipped: {
    en: "The answer flips from {was} ({before}) to {is} ({now}).",
    ko: "답이 바뀌었습니다: {was} ({before}) → {is} ({now})",
  },
  changeReset: {en: "Reset: {name}", ko: "되돌리기: {name}"},
  changesMove: {en: "Move", ko: "움직이기"},
  changeDown: {en: "Down", ko: "아래로"},
  changeRight: {en: "Right", ko: "오른쪽으로"},
  changeDegrees: {en: "Rotation", ko: "회전"},
  changeScale: {en: "Scale", ko: "크기"},
  changesNoise: {en: "Noise", ko: "잡음"},
  changeNoise: {en: "Strength", ko: "세기"},
  changeNewNoise: {en: "New noise", ko: "새 잡음"},
  changesCover: {en: "Cover a square", ko: "사각형으로 가리기"},
  changeSide: {en: "Side", ko: "한 변"},
  changeTop: {en: "From the top", ko: "위에서"},
  changeLeft: {en: "From the left", ko: "왼쪽에서"},
  changesShuffle: {en: "Shuffle", ko: "섞기"},
  changeShuffle: {en: "Shuffle the pixels", ko: "픽셀 섞기"},
  changeShuffleCaption: {
    en: "Every picture is shuffled in the same way. A network of dense layers only, trained on "
      + "such pictures, would do as well as before: the order of its inputs means nothing to it. "
      + "A convolution compares neighbors, so it would lose. No network here was trained on "
      + "shuffled pictures, so all of them fail.",
    ko: "모든 그림을 똑같은 방식으로 섞습니다. 완전 연결층(밀집층)만 있는 신경망은 섞인 그림으로 학습하면 전과 똑같이 잘 맞힙니다. 입력의 순서에 아무 의미도 두지 "
      + "않기 때문입니다. 합성곱은 이웃한 픽셀을 함께 보므로 그만큼 불리해집니다. 여기 있는 신경망은 섞인 그림으로 학습하지 않았으므로 모두 틀리기 시작합니다.",
  },
  changesBits: {en: "Round the weights", ko: "가중치 반올림"},
  changeBits: {en: "Bits per weight", ko: "가중치당 비트 수"},
  bitsAll: {
    en: "All 32 bits: the weights are as they were trained.",
    ko: "32비트 그대로입니다. 학습된 가중치를 바꾸지 않습니다.",
  },
  bitsOne: {
    en: "1 bit: each weight keeps only its sign, times the mean size of all weights of its layer. "
      + "Biases stay.",
    ko: "1비트: 가중치의 부호만 남기고, 크기는 그 층의 가중치 절댓값 평균으로 바꿉니다. 편향(절편)은 그대로입니다.",
  },
  bitsSome: {
    en: "{bits} bits: each weight is rounded to one of {values} evenly spaced numbers, "
      + "−{steps} to {steps} times a step. The largest weight of a layer sets its step. Biases stay.",
    ko: "{bits}비트: 가중치를 일정한 간격의 수 {values}개(간격의 −{steps}배부터 {steps}배까지) 중 가장 가까운 것으로 반올림합니다. "
      + "간격은 층마다 가장 큰 가중치가 정합니다. 편향(절편)은 그대로입니다.",
  },
  accuracyCaption: {
    en: "Each network's answer to the changed picture, then its correct answers on the page's "
      + "{count} test images without and with the same changes. Images that a network misreads were "
      + "preferred when they were chosen: compare the two numbers with each other, not with the "
      + "network's published error. Each image gets noise of its own. Maps are switched off in the "
      + "chosen network only.",
    ko: "바뀐 그림에 대한 각 신경망의 답과, 이 페이지의 테스트 이미지 {count}장을 똑같이 바꾸기 전과 바꾼 뒤에 맞힌 수입니다. 신경망이 틀리는 이미지를 일부러 넣었으므로 공개된 오류율과 비교하지 말고 두 수를 "
      + "서로 비교하세요. 잡음은 이미지마다 다릅니다. 특징 맵은 선택한 신경망에서만 꺼집니다.",
  },
  accuracyNetwork: {en: "Network", ko: "신경망"},
  accuracyAnswer: {en: "Answer", ko: "답"},
  mapsCaption: {
    en: "A map or unit that is switched off puts out 0. Try one map of a layer with few maps, "
      + "then one of a layer with many: which does the network miss more?",
    ko: "끈 특징 맵(특성 맵)이나 유닛의 출력은 0이 됩니다. 맵이 적은 층에서 하나를 꺼 보고, 맵이 많은 층에서도 하나를 꺼 보세요. 어느 쪽의 영향이 더 클까요?",
  },
  mapsReset: {en: "Switch all on", ko: "모두 켜기"},
  mapsSelectedOff: {en: "Switch off {layer} {map}", ko: "{layer} {map}번 끄기"},
  mapsSelectedOn: {en: "Switch on {layer} {map}", ko: "{layer} {map}번 켜기"},
  mapsOfLayer: {en: "{layer}: {count} maps", ko: "{layer}: 특징 맵 {count}개"},
  unitsOfLayer: {en: "{layer}: {count} units", ko: "{layer}: 유닛 {count}개"},
  mapsOff: {en: "{off} off", ko: "{off}개 꺼짐"},
  mapsNoneOff: {en: "all on", ko: "모두 켜짐"},
  mapsAllOn: {en: "All on", ko: "모두 켜기"},
  mapButton: {en: "{layer} {map} off", ko: "{layer} {map} 끄기"},
  saliencyAnswer: {en: "The answer", ko: "현재 답"},
  saliencyClasses: {en: "Class", ko: "클래스"},
  saliencyInput: {en: "The network's input", ko: "신경망의 입력"},
  saliencyMap: {en: "Gradient of the class's score", ko: "클래스 점수의 기울기"},
  saliencyStrongest: {
    en: "Strongest slope: {value}, at row {row}, column {column}.",
    ko: "가장 큰 기울기: {value} ({row}행 {column}열)",
  },
  saliencyHovered: {
    en: "Slope at row {row}, column {column}: {value}.",
    ko: "{row}행 {column}열의 기울기: {value}",
  },
  saliencyMeaning: {
    en: "Orange: a little more ink here raises the score of {name}. Violet: it lowers the score.",
    ko: "주황색: 이곳의 잉크가 조금 늘면 {name}의 점수가 오릅니다. 보라색: 점수가 내립니다.",
  },
  saliencyMeaningColor: {
    en: "Orange: a little more light here raises the score of {name}. Violet: it lowers the "
      + "score. Of a pixel's channels the one with the largest slope is shown.",
    ko: "주황색: 이곳이 조금 밝아지면 {name}의 점수가 오릅니다. 보라색: 점수가 내립니다. 픽셀마다 기울기가 가장 큰 채널을 보여 줍니다.",
  },
  saliencyLimits: {
    en: "This is the gradient at this one picture (Simonyan et al. 2013). It says what a tiny "
      + "change does. It doesn't say what a large change does, nor why the network decided so.",
    ko: "이 그림에서 계산한 기울기(그래디언트)입니다(Simonyan 외, 2013). 아주 작은 변화의 효과만 알려 줄 뿐, 크게 바꿨을 때의 결과나 신경망이 그렇게 "
      + "답한 이유를 알려 주지는 않습니다.",
  },
};
