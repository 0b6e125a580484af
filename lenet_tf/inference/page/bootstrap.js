/* Unpacks the page's modules, and starts the first one. They are packed so that the page stays
 * small; lenet_tf/inference/page/scripts has them as people read them. */
(async () => {
  const packed = document.getElementById("page-scripts").textContent;
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const map = document.createElement("script");
  map.type = "importmap";
  map.textContent = await new Response(stream).text();
  document.head.append(map);
  await import("#page/main.js");
})();
