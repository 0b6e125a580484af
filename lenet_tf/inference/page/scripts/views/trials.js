/** "Break it": changes of the image and of the network, and what they do to the answer. */

import {NO_CHANGES, hasChanges} from "#page/changes/changes.js";
import {element, find} from "#page/views/elements.js";
import {createAccuracy} from "#page/views/trials/accuracy-table.js";
import {createAnswers} from "#page/views/trials/answers.js";
import {createControls} from "#page/views/trials/controls.js";
import {createMapSwitches, listSwitchable} from "#page/views/trials/map-switches.js";
import {create} from "#page/views/trials/parts.js";
import {createPicture} from "#page/views/trials/picture.js";
import {createSaliency} from "#page/views/trials/saliency-map.js";

/**
 * @param {object} store see store.js
 * @param {object} content see main.js
 */
export function createTrials(store, content) {
  const resetAll = create("button", "trialsResetAll", {
    type: "button", id: "reset-changes",
    click: () => store.set({changes: NO_CHANGES}),
  });
  const answers = createAnswers(store);
  const maps = card("trials-maps", "trialsMaps", createMapSwitches(store));
  find("trials").append(
    create("p", "trialsLead", {class: "quiet"}),
    element("div", {class: "trials-grid"},
      element("div", {class: "trials-result"},
        card("trials-picture", "trialsResult", createPicture(store, content), answers.verdict),
        element("div", {class: "panel trials-card"}, answers.table)),
      card("trials-changes", "trialsChanges", resetAll, createControls(store)),
      ...content.examples.labels.length
        ? [card("trials-accuracy", "trialsAccuracy", createAccuracy(store, content))]
        : [],
      card("trials-saliency", "trialsSaliency", createSaliency(store)),
      maps),
  );
  store.watch(["network"], ({network}) => {
    maps.hidden = !listSwitchable(network).length;
  });
  store.watch(["changes"], ({changes}) => {
    resetAll.disabled = changes === NO_CHANGES || !hasChanges(changes);
  });
}

function card(id, heading, ...children) {
  return element("section", {class: "panel trials-card", id, "aria-labelledby": `${id}-heading`},
    create("h3", heading, {id: `${id}-heading`}), ...children);
}
