/** Texts of the page's frame. */

export const page = {
  pageTitle: {en: "LeNet-5 at work", ko: "LeNet-5 들여다보기"},
  lead: {
    en: "Draw a digit and watch every layer of the network that reads it.",
    ko: "숫자를 그리면 신경망의 모든 층이 그 숫자를 어떻게 읽는지 바로 보입니다.",
  },
  leadPicture: {
    en: "Draw or open a picture and watch every layer of the network that reads it.",
    ko: "그림을 그리거나 사진을 열면 신경망의 모든 층이 그 이미지를 어떻게 읽는지 바로 보입니다.",
  },
  skip: {en: "Skip to the drawing pad", ko: "그리기 영역으로 건너뛰기"},
  partsLabel: {en: "Parts of the page", ko: "페이지의 각 부분"},
  drawHeading: {en: "Draw", ko: "그리기"},
  insideHeading: {en: "See inside", ko: "안을 들여다보기"},
  trialsHeading: {en: "Break it", ko: "망가뜨려 보기"},
  lessonsHeading: {en: "Learn", ko: "배우기"},
  noScript: {en: "This page needs JavaScript.", ko: "이 페이지에는 JavaScript가 필요합니다."},

  languageLabel: {en: "Language", ko: "언어"},
  themeLabel: {en: "Theme", ko: "테마"},
  "theme auto": {en: "Auto", ko: "자동"},
  "theme light": {en: "Light", ko: "밝게"},
  "theme dark": {en: "Dark", ko: "어둡게"},

  aboutHeading: {en: "About this page", ko: "이 페이지에 대하여"},
  aboutPrivacy: {
    en: "Everything is computed in this page, on your device. Nothing that you draw or open is sent"
      + " anywhere, and the page works offline.",
    ko: "모든 계산은 이 페이지 안에서, 사용 중인 기기에서 이루어집니다. 그리거나 불러온 것은 어디에도"
      + " 전송되지 않으며, 인터넷 연결 없이도 작동합니다.",
  },
  aboutNumbers: {
    en: "The networks were trained with lenet_tf, Keras and TensorFlow. The page computes their"
      + " layers in JavaScript from the same weights and gets the same numbers as Keras.",
    ko: "신경망은 Keras와 TensorFlow를 쓰는 lenet_tf로 학습했습니다. 이 페이지는 같은 가중치로 모든"
      + " 층을 JavaScript로 계산하며, Keras와 같은 값을 얻습니다.",
  },
  aboutData: {
    en: "Test images: {data}, license {license}.",
    ko: "테스트 이미지: {data}, 라이선스 {license}.",
  },
  aboutOwn: {
    en: "Make such a page of your own run:", ko: "직접 학습한 신경망으로 이런 페이지를 만들려면:",
  },
  aboutVersion: {en: "Made with lenet_tf {version}.", ko: "제작: lenet_tf {version}"},
};
