/** Texts of the view inside the network. */

export const inside = {
  insideHint: {
    en: "Point at any unit to see what it looks at and how its value is made. "
      + "Click to keep it, Esc to let it go.",
    ko: "유닛에 마우스를 올리면 입력의 어느 부분을 보는지, 값이 어떻게 계산되는지 나타납니다. 클릭하면 고정되고, Esc를 누르면 풀립니다.",
  },
  insideTapHint: {
    en: "Tap any unit to see what it looks at and how its value is made.",
    ko: "유닛을 누르면 입력의 어느 부분을 보는지, 값이 어떻게 계산되는지 나타납니다.",
  },
  insideEmpty: {
    en: "Nothing is drawn yet. Draw a digit or choose an example, and every layer fills in.",
    ko: "아직 그린 것이 없습니다. 숫자를 그리거나 예시를 고르면 모든 층의 값이 나타납니다.",
  },
  insideEmptyPicture: {
    en: "Nothing is drawn yet. Draw or open a picture, or choose an example, and every layer fills in.",
    ko: "아직 그린 것이 없습니다. 그림을 그리거나 사진을 열거나 예시를 고르면 모든 층의 값이 나타납니다.",
  },
  insideLegend: {
    en: "Violet is negative, orange positive. The number beneath a layer (±) is the end of its "
      + "scale. Maps, rows and columns count from 0. Shown numbers are rounded, so the last digit "
      + "of a sum may differ.",
    ko: "보라색은 음수, 주황색은 양수입니다. 층 아래의 숫자(±)는 그 층 색상 눈금의 끝값입니다. 특징 맵(특성 맵), 행, 열은 0부터 셉니다. "
      + "숫자는 반올림한 값이라 합의 마지막 자리가 다를 수 있습니다.",
  },
  insideCounts: {en: "Parameters and connections", ko: "파라미터와 연결 수"},
  insideFigure: {en: "The layers of {name}", ko: "{name}의 층"},
  insideParameters: {en: "{count} parameters", ko: "파라미터 {count}개"},
  insideConnections: {en: "{count} connections", ko: "연결 {count}개"},
  insideTotal: {
    en: "All layers together: {parameters} parameters and {connections} connections.",
    ko: "모든 층을 더하면 파라미터 {parameters}개, 연결 {connections}개입니다.",
  },
  insideMaps: {en: "feature maps {count}@{size}", ko: "특징 맵 {count}@{size}"},
  insideUnits: {en: "layer {count}", ko: "유닛 {count}개"},
  insideMapName: {en: "{layer}, map {map} (0–{last})", ko: "{layer}, 맵 {map} (0–{last})"},
  insideShortMap: {en: "{layer} map {map}", ko: "{layer} 맵 {map}"},
  insideChannel_0: {en: "{layer}, red", ko: "{layer}, 빨강"},
  insideChannel_1: {en: "{layer}, green", ko: "{layer}, 초록"},
  insideChannel_2: {en: "{layer}, blue", ko: "{layer}, 파랑"},
  insideMore: {en: "How its value is made ↓", ko: "값을 계산하는 과정 ↓"},
  insideUnitName: {en: "{layer}, unit {unit}", ko: "{layer}, 유닛 {unit}"},
  insideClassName: {en: "{layer}, class {name}", ko: "{layer}, 클래스 {name}"},
  insidePlaceName: {
    en: "{layer}, map {map}, row {row}, column {column}",
    ko: "{layer}, 맵 {map}, {row}행 {column}열",
  },
  insidePixelName: {
    en: "{layer}, row {row}, column {column}", ko: "{layer}, {row}행 {column}열",
  },
  insideFull: {en: "full connection", ko: "완전 연결"},
  insideConvolutions: {en: "convolutions {size}", ko: "합성곱 {size}"},
  insideSubsampling: {en: "subsampling {size}", ko: "서브샘플링 {size}"},
  insidePooling: {en: "{pool} pooling {size}", ko: "{pool} 풀링 {size}"},
  insidePool_max: {en: "max", ko: "최댓값"},
  insidePool_average: {en: "average", ko: "평균"},
  insidePool_min: {en: "min", ko: "최솟값"},
  insidePool_sum: {en: "sum", ko: "합"},
  insidePool_stochastic: {en: "stochastic", ko: "확률적"},
  insideGlobal: {en: "global average", ko: "전역 평균"},
  insideGaussian: {en: "Gaussian connections", ko: "가우시안 연결"},
  insideNormalization: {en: "batch normalization", ko: "배치 정규화"},
  insideDropout: {
    en: "{name}: dropout, off after training", ko: "{name}: 드롭아웃, 학습이 끝나면 꺼짐",
  },
  insideFlatten: {en: "flatten {shape} to {count}", ko: "평탄화: {shape} → {count}"},
  insideUnitValue: {en: "{name}: {value}", ko: "{name}: {value}"},
  insideLargeLabel: {
    en: "{name}, large. Arrow keys move the unit.", ko: "{name}, 크게 보기. 방향키로 유닛을 옮깁니다.",
  },
  insideArrowHint: {
    en: "Point, tap or use the arrow keys.", ko: "마우스나 터치, 방향키로 유닛을 고르세요.",
  },
  insideSees: {
    en: "It sees rows {rows}, columns {columns} of the input: {size} pixels (its receptive field).",
    ko: "입력의 {rows}행, {columns}열을 봅니다: {size}픽셀(수용 영역).",
  },
  insideSumHeading: {en: "How its value is made", ko: "값을 계산하는 과정"},
  insideTiles: {en: "Input maps", ko: "입력 맵"},
  insideKernel: {en: "kernel of {layer}", ko: "{layer}의 커널"},
  insideWeightsOf: {en: "weights of {layer}", ko: "{layer}의 가중치"},
  insideProducts: {en: "products, sum ≈ {sum}", ko: "곱(합 ≈ {sum})"},
  insideSquares: {en: "squares, sum ≈ {sum}", ko: "제곱(합 ≈ {sum})"},
  insideCode: {en: "code", ko: "코드"},
  insidePointHint: {
    en: "Point at a cell, or tap it, to read its numbers.", ko: "칸을 가리키거나 누르면 숫자가 보입니다.",
  },
  insideInputValue: {
    en: "The pixel is {pixel} of 255, scaled for the network: {formula}",
    ko: "픽셀 값은 255 중 {pixel}이고, 신경망에 맞게 바꾸면: {formula}",
  },
  insideMapSums: {
    en: "Sums of the input maps: {terms} ≈ {sum}", ko: "입력 맵별 합: {terms} ≈ {sum}",
  },
  insideLargestSums: {
    en: "Sums of the input maps {maps}, and of {others} others together: {terms} ≈ {sum}",
    ko: "입력 맵 {maps}의 합과 나머지 {others}개의 합: {terms} ≈ {sum}",
  },
  insideSumsAndBias: {
    en: "Sum + bias: z = {terms} ≈ {sum}", ko: "합 + 편향(절편): z = {terms} ≈ {sum}",
  },
  insideProductsAndBias: {
    en: "Sum of the products + bias: z = {terms} ≈ {sum}",
    ko: "곱의 합 + 편향(절편): z = {terms} ≈ {sum}",
  },
  insideLinear: {en: "No activation: the value is z ≈ {value}", ko: "활성화 함수 없음: 값은 z ≈ {value}"},
  insideSoftmax: {
    en: "softmax: e^z / (the sum of e^z over all classes) ≈ {value}",
    ko: "소프트맥스: e^z / (모든 클래스의 e^z의 합) ≈ {value}",
  },
  insideOff: {en: "It is switched off: its output is {value}.", ko: "꺼져 있어서 출력은 {value}입니다."},
  insideWindowSum: {en: "Sum of the window: {terms} ≈ {sum}", ko: "윈도 안의 합: {terms} ≈ {sum}"},
  insideCoefficient: {
    en: "Coefficient × sum + bias: z = {terms} ≈ {sum}",
    ko: "계수 × 합 + 편향(절편): z = {terms} ≈ {sum}",
  },
  insideAverage: {
    en: "The {count} values add up to {total}; {total} / {count} ≈ {value}",
    ko: "값 {count}개의 합은 {total}; {total} / {count} ≈ {value}",
  },
  insideDistance: {
    en: "Distance: the sum of all (input − code)² ≈ {sum}", ko: "거리: 모든 (입력 − 코드)²의 합 ≈ {sum}",
  },
  insideNegative: {
    en: "The output is its negative, {value}: the nearest code wins.",
    ko: "출력은 그 음수인 {value}입니다. 가장 가까운 코드가 답이 됩니다.",
  },
  insideNormalizationSum: {
    en: "Value × factor + offset: {terms} ≈ {result}",
    ko: "값 × 배율 + 오프셋: {terms} ≈ {result}",
  },
  insidePadding: {en: "padding", ko: "패딩"},
  insideInput: {en: "Input", ko: "입력"},
  insideValue: {en: "value", ko: "값"},
  insideWeight: {en: "weight", ko: "가중치"},
  insideProduct: {en: "product", ko: "곱"},
  insideSquare: {en: "(value − code)²", ko: "(값 − 코드)²"},
  insideBias: {en: "Bias", ko: "편향"},
  insideSum: {en: "Sum", ko: "합"},
  insideOthers: {en: "{count} others together", ko: "나머지 {count}개"},
  insideLargest: {en: "Largest contributions", ko: "기여가 큰 항"},
  insideAllHeading: {en: "Every term of the sum", ko: "합의 모든 항"},
  insideAllTerms: {en: "{count} terms", ko: "항 {count}개"},
  insideSoftmaxTable: {
    en: "Softmax of all classes. Subtracting max = {largest} leaves the shares as they are.",
    ko: "모든 클래스의 소프트맥스. 최댓값(max = {largest})을 빼도 비율은 같습니다.",
  },
  insidePosteriorTable: {
    en: "Probabilities: the softmax of z = −distance (max = {largest})",
    ko: "확률: z = −거리의 소프트맥스(max = {largest})",
  },
  insideClass: {en: "Class", ko: "클래스"},
  insideShare: {en: "share", ko: "비율"},
  insideTableHeading: {
    en: "Which maps of {from} each map of {name} takes", ko: "{name}의 각 맵이 입력으로 받는 {from}의 맵",
  },
  insideTableHint: {
    en: "Columns are maps of {name}, rows maps of {from}; X marks one of {count} kernels. Maps that "
      + "take different inputs learn different features.{source}",
    ko: "열은 {name}의 맵, 행은 {from}의 맵입니다. X 하나가 커널 {count}개 중 하나입니다. "
      + "서로 다른 맵을 입력으로 받으면 서로 다른 특징을 배웁니다.{source}",
  },
  insideTableSource: {
    en: " It is table I of LeCun et al. 1998.", ko: " LeCun 외(1998)의 표 I입니다.",
  },
  insideCodesHeading: {en: "{name} beside the ten codes", ko: "{name}과 열 개의 코드"},
  insideCodesHint: {
    en: "A code is a fixed picture of the character, −1 (violet) and +1 (orange): training "
      + "makes {name}'s 84 units, drawn as 7×12, look like the code of the right class. Beneath "
      + "each code is its distance, the sum of squared differences.",
    ko: "코드는 글자를 −1(보라색)과 +1(주황색)로 그린 정해진 그림입니다. 학습은 7×12로 그린 {name}의 유닛 84개가 정답의 코드와 비슷해지게 합니다. "
      + "코드 아래의 숫자는 차이의 제곱을 모두 더한 거리입니다.",
  },
  insideNearest: {en: "nearest", ko: "가장 가까움"},
};
