// Runs in every page before its own scripts: chance from the seed, one window, no way to speak around requests,
// and `quiet`, which resolves when the page waits for nothing that it has asked for.
(() => {
  let state = SEED;
  const chance = () => {
    state = state + 0x6D2B79F5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
  Math.random = chance;
  crypto.getRandomValues = (a) => { 
    for (let i = 0; i < a.length; i++) a[i] = Math.floor(chance() * 2 ** 32);
    return a;
  };
  crypto.randomUUID = () =>
    "00000000-0000-4000-8000-000000000000".replace(/0/g, () => (chance() * 16 | 0).toString(16));
  for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport", "SharedWorker"]) {
    delete window[name];
  }
  window.open = (url) => { if (url) location.assign(url); return null; };
  const here = (node) => {
    const away = node && node.target && !["_self", "_top", "_parent"].includes(node.target) && !(node.target in frames);
    if (away) node.target = "_self";
  };
  addEventListener("click", (e) => here(e.target.closest && e.target.closest("a[target], area[target]")), true);
  addEventListener("submit", (e) => { here(e.target); if (e.submitter) e.submitter.removeAttribute("formtarget"); }, true);
  let open = 0;
  const fetched = window.fetch;
  window.fetch = (...given) => { open++; return fetched(...given).finally(() => { setTimeout(() => open--, 0); }); };
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (...given) {
    open++;
    this.addEventListener("loadend", () => setTimeout(() => open--, 0));
    return send.apply(this, given);
  };
  window[Symbol.for("quiet")] = () => new Promise((done) => {
    const look = () => open ? setTimeout(look, 1) : done();
    requestAnimationFrame(() => setTimeout(look, 0));
  });
})();
