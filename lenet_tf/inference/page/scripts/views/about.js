/** What the page is, and where its contents come from. */

import {text} from "#page/texts/index.js";
import {element, find} from "#page/views/elements.js";

const PAPER = "https://doi.org/10.1109/5.726791";

/** Fill `#about`. */
export function createAbout(store, {version, examples}) {
  const data = element("p"), maker = element("p");
  store.watch(["language"], () => {
    const {dataTitle, dataLicense} = store.networks[0];
    data.textContent = examples.labels.length && dataLicense
      ? text("aboutData", {data: dataTitle, license: dataLicense})
      : "";
    maker.textContent = version ? text("aboutVersion", {version}) : "";
  });
  find("about").append(
    element("h2", {dataset: {text: "aboutHeading"}}),
    element("p", {dataset: {text: "aboutPrivacy"}}),
    element("p", {dataset: {text: "aboutNumbers"}}),
    element("p", {},
      "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: ",
      element("cite", {text: "Gradient-based learning applied to document recognition"}),
      ". Proceedings of the IEEE 86(11), 2278–2324, 1998. ",
      element("a", {href: PAPER, rel: "noreferrer", text: "doi:10.1109/5.726791"})),
    data,
    element("p", {}, element("span", {dataset: {text: "aboutOwn"}}), " ",
      element("code", {text: "lenet-tf page RUN"})),
    maker);
}
