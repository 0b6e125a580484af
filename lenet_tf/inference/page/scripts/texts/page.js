/** Texts of the page's frame. */

export const page = {
  pageTitle: {en: "LeNet-5 at work", ko: "LeNet-5 들여다보기"},
  lead: {
    en: "Draw a digit and watch every layer of the network that reads it.",
    ko: "숫자를 그리면 신경망의 모든 층이 그 숫자를 어떻게 읽는지 바로 보입니다.",
  },
  skip: {en: "Skip to the drawing pad", ko: "그리기 영역으로 건너뛰기"},
  drawHeading: {en: "Draw", ko: "그리기"},
  insideHeading: {en: "See inside", ko: "안을 들여다보기"},
  trialsHeading: {en: "Break it", ko: "망가뜨려 보기"},
  lessonsHeading: {en: "Learn", ko: "배우기"},
  noScript: {en: "This page needs JavaScript.", ko: "이 페이지에는 JavaScript가 필요합니다."},
};
