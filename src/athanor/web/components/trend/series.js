// One tag's points as the chart keeps them: times ascending, null where the line must break.
const DECADES_APART = 1.3; // levels of 1200 °C and 20 °C are on scales of their own, of 1200 and 100 on one

export class Series {
  constructor(definition) {
    this.t = [];
    this.v = [];
    this.isOff = false;
    this.redefine(definition);
  }

  redefine(definition) {
    // key, name, unit, decimals, isStep, states, limits: [{ label, value, isUrgent }]
    Object.assign(this, definition, { states: Object.keys(definition.states).length ? definition.states : null });
  }

  // Points as the server sends them: the first time, then the distances in milliseconds.
  load([start, gaps, values]) {
    let time = start;
    this.t = gaps.map((gap) => (time += gap));
    this.v = values;
    const [low, high] = this.extent(-Infinity, Infinity);
    this.level = low > high ? null : Math.max(Math.abs(low), Math.abs(high), 10 ** -this.decimals);
  }

  // Whether both may share an axis: the same unit, and neither would be a flat line on the other's scale.
  fitsWith(other) {
    if (this.states || other.states || this.unit !== other.unit) return false;
    if (!this.level || !other.level) return true;
    return Math.abs(Math.log10(this.level / other.level)) < DECADES_APART;
  }

  // Adds newer points. Where several fall on one pixel column the newest replaces the one before, so that a long
  // window does not grow without end; the next refetch brings the exact shape.
  append(points, pixelMs) {
    for (const [time, value] of points) {
      const size = this.t.length;
      if (size && time <= this.t[size - 1]) continue;
      const isCrowded = size > 4 && value !== null && this.v[size - 1] !== null && time - this.t[size - 4] < pixelMs;
      if (isCrowded) {
        this.t[size - 1] = time;
        this.v[size - 1] = value;
      } else {
        this.t.push(time);
        this.v.push(value);
      }
    }
  }

  forgetBefore(time) {
    const keep = this.indexAt(time);
    if (keep > 256) {
      this.t.splice(0, keep);
      this.v.splice(0, keep);
    }
  }

  // Index of the last point at or before `time`; -1 when there is none.
  indexAt(time) {
    let low = 0, high = this.t.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.t[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  // The value a person would read off the line at `time`.
  valueAt(time) {
    const index = this.indexAt(time);
    if (this.isStep) return index < 0 ? null : this.v[index];
    const next = index + 1;
    if (index < 0) return null;
    if (next >= this.t.length) return this.v[index];
    return time - this.t[index] <= this.t[next] - time ? this.v[index] : this.v[next];
  }

  get last() {
    return this.v.length ? this.v[this.v.length - 1] : null;
  }

  // Points for drawing from `from` to `to`, with one beyond each end; times moved by `shift`.
  visible(from, to, shift) {
    const first = Math.max(0, this.indexAt(from));
    const points = [];
    for (let i = first; i < this.t.length; i++) {
      points.push([this.t[i] + shift, this.v[i]]);
      if (this.t[i] > to) break;
    }
    const size = this.t.length;
    const isHeld = this.isStep && size && this.t[size - 1] < to && this.v[size - 1] !== null;
    if (isHeld) points.push([to + shift, this.v[size - 1]]); // a setpoint holds until it changes
    return points;
  }

  extent(from, to) {
    let low = Infinity, high = -Infinity;
    for (let i = Math.max(0, this.indexAt(from)); i < this.t.length && this.t[i] <= to; i++) {
      const value = this.v[i];
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return [low, high];
  }

  shown(value) {
    if (value === null || value === undefined) return "–";
    const state = this.states?.[Math.round(value)];
    return state ?? formatNumber(value, this.decimals);
  }
}

export function formatNumber(value, decimals) {
  const text = value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return text.replace("-", "\u2212");
}
