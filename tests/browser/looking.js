// Runs in each page after axe. `looking.shown()`: what decides about the contrast of
// each text that is shown. `looking.judge({only, passed})`: what axe
// finds wrong, without the contrast of the `passed` of them.
window.looking = (() => {
  const COLOUR = 'color-contrast';
  let keys = new Map(), held = new Set();
  const contrast = axe._audit.rules.find(({id}) => id === COLOUR);
  const judgeable = contrast.matches;
  // axe comes to the same of what has no text of its own, having read all that is in it.
  contrast.matches = (node, ...more) =>
    isText(node) && !held.has(keys.get(node)) && judgeable(node, ...more);

  // Colours on their way to others arrive.
  const settle = () => document.getAnimations().filter((one) =>
    one.effect.getComputedTiming().endTime !== Infinity).forEach((one) => one.finish());

  const isText = (node) => node.matches('input, select, textarea') ||
    [...node.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && one.data.trim());

  // What an element and all around it paint, and those of them that paint at all.
  const backgrounds = (nodes) => {
    const behind = new Map([[null, '']]), painted = [];
    for (const node of [document.documentElement, document.body, ...nodes]) {
      const {backgroundColor, backgroundImage, opacity} = getComputedStyle(node);
      const around = behind.get(node.parentElement);
      const paints = backgroundColor !== 'rgba(0, 0, 0, 0)' || backgroundImage !== 'none';
      const own = paints || opacity !== '1' ?
        `${backgroundColor} ${backgroundImage} ${opacity}; ` : '';
      behind.set(node, around + own);
      if (paints) painted.push([node, node.getBoundingClientRect(), own]);
    }
    return [behind, painted];
  };

  // What lies over it or under it without being around it.
  const beside = (node, painted) => {
    const {left, right, top, bottom} = node.getBoundingClientRect();
    const found = new Set();
    for (const [other, box, own] of painted)
      if (box.top < bottom && box.bottom > top && box.left < right && box.right > left
          && !other.contains(node) && !node.contains(other)) found.add(own);
    return [...found].sort().join('');
  };

  const key = (node, behind, painted) => {
    const {color, fontSize, fontWeight, textShadow, textDecorationLine} =
      getComputedStyle(node);
    const own = [node.localName, color, fontSize, fontWeight, textShadow];
    const around = [textDecorationLine, getComputedStyle(node.parentElement).color];
    return [...own, ...around, behind.get(node), beside(node, painted)].join(' ');
  };

  const shown = () => {
    settle();
    const nodes = [...document.body.querySelectorAll('*')].filter(
      (node) => node.checkVisibility());
    const [behind, painted] = backgrounds(nodes);
    keys = new Map(nodes.filter(isText).map(
      (node) => [node, key(node, behind, painted)]));
    const wider = document.documentElement.scrollWidth > innerWidth;
    return {wider, keys: [...new Set(keys.values())]};
  };

  // Nothing is put into words but what is violated, and nothing loaded that axe would
  // load to look at rules that are not asked for.
  const judge = async ({only, passed}) => {
    held = new Set(passed);
    const rules = await axe.run({runOnly: only, preload: false, iframes: false,
      reporter: (raw, options, done) => done(raw)});
    const wrong = rules.filter(({violations}) => violations.length).map(
      ({id, violations}) =>
        [id, ...violations.map(({node}) => node.element.outerHTML.slice(0, 160))].join(' '));
    const enough = rules.filter(({id}) => id === COLOUR).flatMap(({passes}) => passes);
    const now = enough.map(({node}) => keys.get(node.element)).filter(Boolean);
    return {wrong, passed: [...new Set(now)]};
  };
  return {shown, judge};
})();
