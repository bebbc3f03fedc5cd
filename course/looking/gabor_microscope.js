// The Gabor microscope, all of it in the page: a sheet of filters, a Gabor with sliders, and what it leaves over.
// `microscope.py` puts this into a page and calls `show` with the data.

const GABOR = ["x_px", "y_px", "theta_deg", "wavelength_px", "phase_deg", "size_px", "aspect", "red", "green", "blue",
  "amplitude"];

const STYLE = `
.microscope {max-width: 1000px; font-size: 13px; line-height: 1.4}
.microscope .left {width: 343px; max-width: 100%} .microscope .right {width: 430px; max-width: 100%}
.microscope canvas {image-rendering: pixelated; display: block}
.microscope .parts {display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: flex-start}
.microscope .answer {align-items: center; margin: 4px 0}
.microscope .sheet {display: grid; grid-template-columns: repeat(auto-fill, 46px); gap: 3px; max-height: 430px; overflow: auto}
.microscope .sheet button {padding: 2px; border: 1px solid transparent; background: none; color: inherit; font: 10px sans-serif; cursor: pointer}
.microscope .sheet button[aria-checked=true] {border-color: #1f6fbf; outline: 1px solid #1f6fbf}
.microscope .sheet canvas {width: 40px; height: 40px}
.microscope figure {margin: 0; width: 132px} .microscope figure canvas {width: 132px; height: 132px}
.microscope .sliders {display: grid; grid-template-columns: repeat(auto-fit, minmax(205px, 1fr)); gap: 2px 10px}
.microscope label {display: grid; grid-template-columns: 116px 1fr 36px; gap: 6px; align-items: center}
.microscope input {width: 100%; min-width: 40px} .microscope output {font-variant-numeric: tabular-nums; text-align: right}
.microscope .turned {touch-action: none; cursor: move}`;

function limits(data) {
  const side = data.side, highest = 3 * Math.max(...data.scales) || 1, log = true;
  return {
    theta_deg: {label: "orientation (deg)", low: 0, high: 180, step: 1, digits: 0},
    x_px: {label: "x (px)", low: -side / 2, high: side / 2, step: 0.1, digits: 1},
    wavelength_px: {label: "wavelength (px)", low: 2, high: 10 * side, digits: 1, log},
    y_px: {label: "y (px)", low: -side / 2, high: side / 2, step: 0.1, digits: 1},
    phase_deg: {label: "phase (deg)", low: 0, high: 360, step: 1, digits: 0},
    red: {label: "red", low: -1, high: 1, step: 0.02, digits: 2},
    size_px: {label: "size (px)", low: 0.4, high: 2 * side, digits: 1, log},
    green: {label: "green", low: -1, high: 1, step: 0.02, digits: 2},
    aspect: {label: "aspect (ratio)", low: 1 / (5 * side), high: 5 * side, digits: 2, log},
    blue: {label: "blue", low: -1, high: 1, step: 0.02, digits: 2},
    amplitude: {label: "amplitude", low: 0, high: highest, step: highest / 200, digits: 3},
  };
}

// The Gabor of `gabor.Gabor.draw`, a number for each channel, row and column; no colour at all draws nothing.
function drawGabor(gabor, side) {
  const theta = gabor.theta_deg * Math.PI / 180, phase = gabor.phase_deg * Math.PI / 180;
  const cos = Math.cos(theta), sin = Math.sin(theta), middle = (side - 1) / 2;
  const axis = [gabor.red, gabor.green, gabor.blue], length = Math.hypot(...axis) || 1;
  const drawn = new Float64Array(3 * side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const x = column - middle - gabor.x_px, y = row - middle - gabor.y_px;
      const u = x * cos + y * sin, v = (y * cos - x * sin) / gabor.aspect;
      const envelope = Math.exp(-(u * u + v * v) / (2 * gabor.size_px ** 2));
      const value = gabor.amplitude * envelope * Math.cos(2 * Math.PI * u / gabor.wavelength_px + phase);
      axis.forEach((weight, channel) => {
        drawn[(channel * side + row) * side + column] = value * weight / length;
      });
    }
  }
  return drawn;
}

// A filter beside a Gabor: the root mean square of what is left, and R2.
function compare(seen, drawn) {
  const left = seen.map((value, index) => value - drawn[index]);
  const energy = seen.reduce((sum, value) => sum + value * value, 0);
  const unexplained = left.reduce((sum, value) => sum + value * value, 0);
  return {left, residual: Math.sqrt(unexplained / left.length), r2: energy > 0 ? 1 - unexplained / energy : 0};
}

function paint(canvas, values, side, scale) {
  const image = new ImageData(side, side), pixels = side * side;
  for (let place = 0; place < pixels; place++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * place + channel] = 255 * (0.5 + 0.5 * values[channel * pixels + place] / scale);
    }
    image.data[4 * place + 3] = 255;
  }
  canvas.width = canvas.height = side;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// A slider with a name, and arrow keys of its own: JupyterLab swallows the left and right ones that a browser answers.
function range(parent, name, properties) {
  const slider = element(parent, "input", {type: "range", ...properties});
  slider.setAttribute("aria-label", name);
  slider.addEventListener("keydown", (event) => {
    const steps = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!steps) return;
    event.preventDefault();
    slider.stepUp(steps);
    slider.dispatchEvent(new Event("input"));
  });
  return slider;
}

function element(parent, name, properties = {}) {
  const made = Object.assign(document.createElement(name), properties);
  parent.append(made);
  return made;
}

function show(home, data) {
  const {side, epochs, scales, fits, kinds, letters, order} = data;
  const bytes = Uint8Array.from(atob(data.weights), (letter) => letter.charCodeAt(0));
  const weights = new Int16Array(bytes.buffer), filters = scales.length, numbers = 3 * side * side;
  const last = epochs.length - 1, sliders = {}, spans = limits(data);
  const state = {epoch: last, number: data.start, gabor: away(data.start)};

  function seen(epoch, number) {
    const from = (epoch * filters + number) * numbers;
    return Float64Array.from(weights.subarray(from, from + numbers), (value) => value * scales[number] / 32767);
  }
  // Where the sliders stand before anybody moved them: not at the fit, which would give the exercise away.
  function away(number) {
    return {x_px: 0, y_px: 0, theta_deg: Math.round(fits[number][2] + 60) % 180, wavelength_px: 0.7 * side,
      phase_deg: 0, size_px: side / 4, aspect: 1, red: 0.58, green: 0.58, blue: 0.58, amplitude: scales[number] / 2};
  }

  const root = element(home, "div", {className: "microscope"});
  element(root, "style", {textContent: STYLE});
  if (data.title) element(root, "strong", {textContent: data.title});
  const parts = element(root, "div", {className: "parts"});
  const left = element(parts, "div", {className: "left"}), right = element(parts, "div", {className: "right"});

  if (last > 0) {
    const label = element(left, "label");
    label.append("epoch");
    const time = range(label, "epoch", {min: 0, max: last, value: state.epoch});
    const told = element(label, "output");
    const turn = () => {
      state.epoch = Number(time.value);
      told.value = epochs[state.epoch];
      time.setAttribute("aria-valuetext", `epoch ${epochs[state.epoch]}`);
      sheet();
      draw();
    };
    time.addEventListener("input", turn);
    told.value = epochs[state.epoch];
  }
  const tiles = element(left, "div", {className: "sheet"});
  tiles.setAttribute("role", "radiogroup");
  tiles.setAttribute("aria-label", "filters");
  const buttons = order.map((number, place) => {
    const button = element(tiles, "button", {type: "button", title: `filter ${number}: ${kinds[number]}`});
    button.setAttribute("role", "radio");
    element(button, "canvas");
    element(button, "span", {textContent: `${number} ${letters[kinds[number]]}`});
    button.addEventListener("click", () => choose(number));
    button.addEventListener("keydown", (event) => {
      const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (step === undefined || !(place + step in order)) return;
      event.preventDefault();
      choose(order[place + step]);
      buttons[place + step].focus();
    });
    return button;
  });
  const there = Object.entries(letters).filter(([kind]) => kinds.includes(kind));
  const legend = there.map(([kind, letter]) => `${letter} ${kind}`).join(", ");
  element(left, "div", {textContent: `At epoch ${epochs[last]}: ${legend}. Mid-grey is a weight of zero.`});

  const pictures = element(right, "div", {className: "parts"});
  const panels = ["filter", "Gabor of the sliders", "what is left"].map((name) => {
    const figure = element(pictures, "figure"), canvas = element(figure, "canvas");
    canvas.setAttribute("role", "img");
    return {canvas, caption: element(figure, "figcaption", {textContent: name, style: "color: inherit"})};
  });
  const row = element(right, "div", {className: "parts answer"});
  const fit = element(row, "button", {type: "button", textContent: "Fit", title: "Move the sliders to the Gabor nearest to the trained filter"});
  const line = element(row, "strong", {className: "microscope-residual"});
  line.setAttribute("aria-live", "polite");
  const controls = element(right, "div", {className: "sliders"});
  for (const [key, span] of Object.entries(spans)) {
    const label = element(controls, "label"), there = span.log ? Math.log10 : Number;
    label.append(span.label);
    const ends = {min: there(span.low), max: there(span.high)};
    const slider = range(label, span.label, {...ends, step: span.log ? 0.01 : span.step});
    sliders[key] = {slider, told: element(label, "output"), there};
    slider.addEventListener("input", () => {
      state.gabor[key] = span.log ? 10 ** slider.value : Number(slider.value);
      draw();
    });
  }
  element(right, "div", {textContent: "Drag on the Gabor to move it; with the Shift key held, to turn it."});

  function choose(number) {
    state.number = number;
    state.gabor = away(number);
    draw();
  }
  function sheet() {
    order.forEach((number, place) => {
      const values = seen(state.epoch, number), most = Math.max(...values.map(Math.abs)) || 1;
      paint(buttons[place].firstChild, values, side, most);
    });
  }
  function draw() {
    const {epoch, number, gabor} = state, values = seen(epoch, number), drawn = drawGabor(gabor, side);
    const beside = compare(values, drawn), scale = scales[number] || 1;
    const names = [`filter ${number}, epoch ${epochs[epoch]}`, "Gabor of the sliders", "what is left"];
    [values, drawn, beside.left].forEach((shown, index) => {
      paint(panels[index].canvas, shown, side, scale);
      panels[index].canvas.setAttribute("aria-label", names[index]);
      panels[index].caption.textContent = names[index];
    });
    const kind = epoch === last ? ` · kind ${kinds[number]}` : "";
    line.textContent = `residual ${beside.residual.toPrecision(3)} (RMS) · R² ${beside.r2.toFixed(2)}${kind}`;
    for (const [key, {slider, told, there}] of Object.entries(sliders)) {
      if (gabor[key] > spans[key].high) slider.max = there(gabor[key]);
      slider.value = there(gabor[key]);
      told.value = gabor[key].toFixed(spans[key].digits);
      slider.setAttribute("aria-valuetext", told.value);
    }
    order.forEach((filter, place) => {
      buttons[place].setAttribute("aria-checked", filter === number);
      buttons[place].tabIndex = filter === number ? 0 : -1;
    });
  }

  fit.addEventListener("click", () => {
    state.gabor = Object.fromEntries(GABOR.map((name, index) => [name, fits[state.number][index]]));
    draw();
  });
  const held = panels[1].canvas;
  held.classList.add("turned");
  held.addEventListener("pointerdown", (event) => held.setPointerCapture(event.pointerId));
  held.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    const box = held.getBoundingClientRect(), pixel = side / box.width, gabor = state.gabor;
    if (event.shiftKey) {
      const x = (event.clientX - box.left) * pixel - side / 2 - gabor.x_px;
      const y = (event.clientY - box.top) * pixel - side / 2 - gabor.y_px;
      gabor.theta_deg = (Math.atan2(y, x) * 180 / Math.PI + 360) % 180;
    } else {
      gabor.x_px = Math.max(-side / 2, Math.min(side / 2, gabor.x_px + event.movementX * pixel));
      gabor.y_px = Math.max(-side / 2, Math.min(side / 2, gabor.y_px + event.movementY * pixel));
    }
    draw();
  });
  sheet();
  draw();
}
