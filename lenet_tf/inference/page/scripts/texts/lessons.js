/** Texts of "Learn". */

export const lessons = {
  "lesson convolution": {en: "Convolution arithmetic", ko: "합성곱 계산"},
  "lesson convolution caption": {
    en: "The kernel slides over the picture. At each place, multiply each cell by the kernel's "
      + "number on top of it and add up the products: that is one cell of the output. A layer of a "
      + "network then adds a bias and applies its activation function. Edit any number.",
    ko: "커널이 그림 위를 움직입니다. 자리마다 겹친 칸의 값과 커널의 수를 곱해 모두 더하면 출력의 한 칸이 됩니다. "
      + "신경망의 층은 여기에 편향을 더하고 활성화 함수를 적용합니다. 어떤 수든 고쳐 보세요.",
  },
  "lesson convolution source": {
    en: "Like other neural network libraries, Keras doesn't flip the kernel: mathematicians call "
      + "this cross-correlation. W is the picture's side, F the kernel's, P the padding on each "
      + "side, S the stride. Source: Dumoulin and Visin 2016, A guide to convolution arithmetic "
      + "for deep learning.",
    ko: "다른 신경망 라이브러리처럼 Keras는 커널을 뒤집지 않습니다. 수학에서는 이를 교차상관이라고 부릅니다. W는 그림의 한 변, F는 커널의 한 변, P는 양쪽 "
      + "패딩, S는 스트라이드입니다. 출처: Dumoulin & Visin(2016), A guide to convolution arithmetic for deep "
      + "learning.",
  },
  "lesson pooling": {en: "Pooling and subsampling", ko: "풀링과 서브샘플링"},
  "lesson pooling caption": {
    en: "Each window becomes one number, so that the map shrinks. These five ways differ in what "
      + "they keep. LeNet-5 of 1998 adds up the window, multiplies by a trained coefficient, adds "
      + "a trained bias, and squashes the result with 1.7159·tanh(2/3·x).",
    ko: "윈도우마다 수 하나만 남기므로 맵이 작아집니다. 다섯 가지 방법은 남기는 것이 서로 다릅니다. 1998년의 LeNet-5는 윈도우의 합에 학습한 계수를 곱하고 "
      + "학습한 편향을 더한 다음 1.7159·tanh(2/3·x)에 넣습니다.",
  },
  "lesson pooling source": {
    en: "Sources: LeCun, Bottou, Bengio and Haffner 1998, section II.B; Boureau, Ponce and LeCun "
      + "2010, A theoretical analysis of feature pooling in visual recognition, who find that max "
      + "pooling suits features that are rarely active.",
    ko: "출처: LeCun, Bottou, Bengio & Haffner(1998) II.B절; Boureau, Ponce & LeCun(2010), A "
      + "theoretical analysis of feature pooling in visual recognition(드물게 활성화되는 특징에는 최댓값 풀링이 "
      + "알맞다는 것을 보였습니다).",
  },
  "lesson history": {en: "How a filter learns", ko: "필터가 학습되는 과정"},
  "lesson history caption": {
    en: "These are the weights of a real training run. They start as random numbers. Watch when a "
      + "pattern appears, and when it stops changing.",
    ko: "실제 학습에서 기록한 가중치입니다. 처음에는 무작위 수입니다. 언제 무늬가 나타나고 언제 변화가 멈추는지 살펴보세요.",
  },
  "lesson history source": {
    en: "Each line is one weight of the kernel. Its color is that of its last value.",
    ko: "선 하나가 커널의 가중치 하나입니다. 선의 색은 마지막 값의 색입니다.",
  },
  "lesson reasons": {en: "Why LeNet-5 looks like this", ko: "LeNet-5가 이렇게 생긴 이유"},
  "lesson reasons caption": {
    en: "The ideas, with the numbers of the chosen network.",
    ko: "그 바탕이 된 아이디어를 선택한 신경망의 수로 설명합니다.",
  },
  "lesson reasons source": {
    en: "Source: LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to "
      + "document recognition, sections II.A to II.C and appendix A.",
    ko: "출처: LeCun, Bottou, Bengio & Haffner(1998), Gradient-based learning applied to document "
      + "recognition, II.A~II.C절과 부록 A.",
  },
  lessonPicture: {en: "Picture", ko: "그림"},
  lessonKernel: {en: "Kernel", ko: "커널"},
  lessonPadding: {en: "Padding", ko: "패딩"},
  lessonSize: {en: "Picture (W)", ko: "그림 크기 (W)"},
  lessonWindow: {en: "Window (F)", ko: "윈도우 (F)"},
  lessonStride: {en: "Stride (S)", ko: "스트라이드 (S)"},
  lessonAmount: {en: "Padding (P)", ko: "패딩 (P)"},
  sourceSeven: {en: "a small 7", ko: "작은 7"},
  sourceDigit: {en: "your digit, made small", ko: "그린 숫자를 줄인 것"},
  sourceOwn: {en: "own numbers", ko: "직접 입력"},
  sourceNumbers: {en: "sample numbers", ko: "예시 숫자"},
  sourceMap: {
    en: "{layer} map {map}, the middle {side} × {side}",
    ko: "{layer} 맵 {map}의 가운데 {side} × {side}",
  },
  kernelEdge: {en: "vertical edge", ko: "세로 경계"},
  kernelBlur: {en: "blur", ko: "흐리게"},
  kernelSharpen: {en: "sharpen", ko: "선명하게"},
  kernelIdentity: {en: "identity", ko: "그대로"},
  kernelCustom: {en: "own numbers", ko: "직접 입력"},
  kernelTooLarge: {
    en: "The kernel is larger than the padded picture: there is no output.",
    ko: "커널이 패딩한 그림보다 커서 출력이 없습니다.",
  },
  paddingValid: {en: "valid: none", ko: "valid: 없음"},
  paddingSame: {en: "same: output of ⌈W / S⌉", ko: "same: 출력 크기 ⌈W / S⌉"},
  paddingAmount: {en: "P on each side", ko: "양쪽에 P칸씩"},
  gridPicture: {en: "Picture {side} × {side}", ko: "그림 {side} × {side}"},
  gridKernel: {en: "Kernel {side} × {side}", ko: "커널 {side} × {side}"},
  gridOutput: {en: "Output {side} × {side}", ko: "출력 {side} × {side}"},
  cellLabel: {en: "Row {row}, column {column}", ko: "{row}행 {column}열"},
  windowPlace: {en: "Position", ko: "위치"},
  playerPlay: {en: "Play", ko: "재생"},
  playerPause: {en: "Pause", ko: "일시 정지"},
  playerPrevious: {en: "Step back", ko: "이전"},
  playerNext: {en: "Step on", ko: "다음"},
  poolCoefficient: {en: "Coefficient (1998)", ko: "계수(1998)"},
  poolBias: {en: "Bias (1998)", ko: "편향(1998)"},
  "pool max": {en: "Max {side} × {side}", ko: "최댓값 {side} × {side}"},
  "pool average": {en: "Average {side} × {side}", ko: "평균 {side} × {side}"},
  "pool min": {en: "Min {side} × {side}", ko: "최솟값 {side} × {side}"},
  "pool sum": {en: "Sum {side} × {side}", ko: "합 {side} × {side}"},
  "pool subsampling": {en: "1998 {side} × {side}", ko: "1998 {side} × {side}"},
  poolTerms: {
    en: "{cells} → max {max}; average {sum} / {count} = {average}; min {min}; sum {sum}; 1998: "
      + "1.7159·tanh(2/3·({coefficient}·{term} + {bias})) = {subsampling}",
    ko: "{cells} → 최댓값 {max}; 평균 {sum} / {count} = {average}; 최솟값 {min}; 합 {sum}; 1998: "
      + "1.7159·tanh(2/3·({coefficient}·{term} + {bias})) = {subsampling}",
  },
  historyNetwork: {en: "Network", ko: "신경망"},
  historyFilter: {en: "Filter", ko: "필터"},
  historyMap: {en: "Input map", ko: "입력 맵"},
  historyEpoch: {en: "Epoch", ko: "에포크"},
  historyKernel: {
    en: "{layer}, filter {filter}, after epoch {epoch}", ko: "{layer} 필터 {filter}, 에포크 {epoch}",
  },
  historyLines: {
    en: "The weights of {layer}, filter {filter}, over the epochs",
    ko: "에포크에 따른 {layer} 필터 {filter}의 가중치",
  },
  historyChange: {
    en: "From epoch {first} to {epoch} the weights of {layer}, filter {filter}, have changed by "
      + "{change} (root mean square).",
    ko: "에포크 {first}부터 {epoch}까지 {layer} 필터 {filter}의 가중치가 바뀐 크기(제곱평균제곱근): {change}",
  },
  reasonLink: {en: "See it in the figure above", ko: "위 그림에서 보기"},
  "reason fields": {en: "Local receptive fields", ko: "국소 수용 영역"},
  reasonFields: {
    en: "A unit of {layer} sees {field} pixels: enough for an edge, a corner or an end. Later "
      + "layers combine them, until {last} sees {lastField}.",
    ko: "{layer}의 유닛은 픽셀 {field}만 봅니다. 경계나 모서리, 획의 끝을 알아보기에 충분합니다. 뒤의 층이 이를 합쳐 {last}에서는 "
      + "{lastField}를 봅니다.",
  },
  "reason sharing": {en: "Shared weights", ko: "가중치 공유"},
  reasonSharing: {
    en: "An edge is an edge anywhere, so all units of a map use the same weights. {layer} has "
      + "{connections} connections but only {weights} parameters to learn.",
    ko: "경계는 어디에 있든 경계이므로 한 맵의 모든 유닛이 같은 가중치를 씁니다. {layer}의 연결은 {connections}개이지만 학습할 파라미터는 "
      + "{weights}개뿐입니다.",
  },
  "reason subsampling": {en: "Subsampling", ko: "서브샘플링"},
  reasonSubsampling: {
    en: "Once a feature is found, its place among the others matters more than its exact position. "
      + "{layer} shrinks each map from {before} to {after}, so that small shifts matter less.",
    ko: "특징을 찾은 뒤에는 정확한 위치보다 다른 특징과의 상대적인 위치가 중요합니다. {layer} 층은 맵을 {before}에서 {after} 크기로 줄여 조금 밀린 "
      + "것에 덜 민감해집니다.",
  },
  "reason table": {en: "Which maps are joined", ko: "맵 사이의 연결"},
  reasonTable: {
    en: "{layer} joins only {links} of {all} pairs of maps: {weights} parameters, not {full}. "
      + "Maps with different inputs are forced to learn different features.",
    ko: "{layer} 층은 맵의 쌍 {all}개 중 {links}개만 연결합니다. 파라미터가 {full}개가 아니라 {weights}개입니다. 서로 다른 입력을 받는 "
      + "맵은 서로 다른 특징을 배우게 됩니다.",
  },
  reasonAllMaps: {
    en: "Here each of the {filters} maps of {layer} reads all {maps} maps: {weights} parameters. "
      + "The paper joined only 60 of 96 pairs, which left 1,516 parameters and kept the maps "
      + "different.",
    ko: "이 신경망에서는 {layer}의 맵 {filters}개가 모두 앞의 맵 {maps}개를 전부 읽습니다(파라미터 {weights}개). 논문은 쌍 96개 중 "
      + "60개만 연결해 파라미터를 1,516개로 줄이고 맵이 서로 달라지게 했습니다.",
  },
  "reason activation": {en: "The activation function", ko: "활성화 함수"},
  reasonSquashing: {
    en: "{layer} passes each sum z through 1.7159·tanh(2/3·z). With these constants ±1 stays ±1, so "
      + "that values keep their size from layer to layer. The curve bends most near ±1: units "
      + "that aim at ±1 stay out of its flat ends, where learning is slow.",
    ko: "{layer} 층의 합 z는 1.7159·tanh(2/3·z)를 거칩니다. 이 상수를 쓰면 ±1이 그대로 ±1이 되어 층을 지나도 값의 크기가 유지됩니다. "
      + "곡선은 ±1 근처에서 가장 크게 휘므로, ±1을 목표로 하는 유닛은 학습이 느린 평평한 끝부분에 빠지지 않습니다.",
  },
  reasonActivation: {
    en: "{layer} passes each sum z through {activation}: without a nonlinear function, several "
      + "layers could do no more than one. The paper used 1.7159·tanh(2/3·z), which maps ±1 to "
      + "±1 and bends most near there.",
    ko: "{layer} 층의 합 z는 {activation} 함수를 거칩니다. 비선형 함수가 없으면 층을 여럿 쌓아도 한 층과 다를 바 없습니다. "
      + "논문은 ±1을 그대로 ±1로 보내고 그 근처에서 가장 크게 휘는 1.7159·tanh(2/3·z)를 썼습니다.",
  },
  "reason output": {en: "The output", ko: "출력층"},
  reasonCodes: {
    en: "{layer} compares {inputs} numbers with a fixed 7 × 12 code of each class, a small "
      + "picture of the character. The nearest code wins. Characters that look alike have similar "
      + "codes.",
    ko: "{layer} 층은 수 {inputs}개를 클래스마다 정해 둔 7 × 12 코드(글자의 작은 그림)와 비교합니다. 가장 가까운 코드가 답입니다. 비슷하게 생긴 "
      + "글자는 코드도 비슷합니다.",
  },
  reasonSoftmax: {
    en: "{layer} computes one score for each of the {classes} classes, and softmax makes "
      + "probabilities of them. The paper compared 84 numbers with a fixed 7 × 12 code of each "
      + "class instead.",
    ko: "{layer} 층은 클래스 {classes}개의 점수를 계산하고 소프트맥스로 확률을 만듭니다. 논문은 그 대신 수 84개를 클래스마다 정해 둔 7 × 12 "
      + "코드와 비교했습니다.",
  },
};
