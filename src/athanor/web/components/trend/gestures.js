// Mouse, touch and keys over the plot, as changes of the shown range. Wheel and pinch zoom, dragging pans,
// dragging with Shift held zooms to what was marked; arrows pan, + and − zoom, Home goes back to now.
export function listen(canvas, chart) {
  // chart: plot() → { left, width }, range() → { from, to }, move(from, to), mark(left, right), point(x, y), leave(), live()
  const pointers = new Map();
  let drag = null;

  const timeAt = (x) => {
    const { left, width } = chart.plot();
    const { from, to } = chart.range();
    return from + ((x - left) / width) * (to - from);
  };
  const zoom = (factor, around) => {
    const { from, to } = chart.range();
    chart.move(around - (around - from) * factor, around + (to - around) * factor);
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  canvas.addEventListener("wheel", (event) => {
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 240))), timeAt(place(event)[0]));
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    const [x] = place(event);
    drag = { x, ...chart.range(), isMark: event.shiftKey, isPinch: pointers.size > 1, hasMoved: false };
    if (drag.isPinch) drag.width = Math.abs(distance());
  });
  const distance = () => {
    const [a, b] = [...pointers.values()];
    return a[0] - b[0] || 1;
  };

  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (!drag || !pointers.has(event.pointerId)) return chart.point(x, y);
    pointers.set(event.pointerId, [x, y]);
    if (!drag.hasMoved && Math.abs(x - drag.x) < 4) return chart.point(x, y);
    drag.hasMoved = true;
    canvas.classList.add("is-panning");
    chart.leave();
    const { width } = chart.plot();
    const perPixel = (drag.to - drag.from) / width;
    if (drag.isPinch && pointers.size > 1) {
      const factor = drag.width / Math.max(8, Math.abs(distance()));
      const middle = (drag.from + drag.to) / 2;
      chart.move(middle - (middle - drag.from) * factor, middle + (drag.to - middle) * factor);
    } else if (drag.isMark) {
      chart.mark(Math.min(x, drag.x), Math.max(x, drag.x));
    } else {
      const moved = (drag.x - x) * perPixel;
      chart.move(drag.from + moved, drag.to + moved);
    }
  });

  const lift = (event) => {
    pointers.delete(event.pointerId);
    canvas.classList.remove("is-panning");
    if (drag?.isMark && drag.hasMoved) {
      const [x] = place(event);
      const [left, right] = [timeAt(Math.min(x, drag.x)), timeAt(Math.max(x, drag.x))];
      chart.mark(0, 0);
      if (right - left > 1000) chart.move(left, right);
    }
    drag = null;
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => chart.leave());

  canvas.addEventListener("keydown", (event) => {
    const { from, to } = chart.range();
    const step = (to - from) / 10;
    const actions = {
      ArrowLeft: () => chart.move(from - step, to - step),
      ArrowRight: () => chart.move(from + step, to + step),
      "+": () => zoom(0.7, (from + to) / 2),
      "=": () => zoom(0.7, (from + to) / 2),
      "-": () => zoom(1 / 0.7, (from + to) / 2),
      Home: () => chart.live(),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
}
