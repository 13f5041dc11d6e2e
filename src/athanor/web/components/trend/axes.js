// Axes of the trend chart: a value axis for each unit, and a time axis in the plant's zone.
import { formatNumber } from "./series.js";

const MINUTE = 60e3, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

// A range with round ends that holds low to high. `kept` is the range shown now: it stays while the data fits in it
// and fills a good part of it, so that a live chart does not breathe.
export function niceRange(low, high, decimals, kept) {
  if (low > high) return kept ?? { min: 0, max: 1, interval: 0.25 };
  const least = Math.max(4 * 10 ** -decimals, Math.abs(high) * 1e-3);
  if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
  if (kept && low >= kept.min && high <= kept.max && high - low > 0.5 * (kept.max - kept.min)) return kept;
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const interval = [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= rough * 0.999);
  return { min: Math.floor(low / interval + 1e-9) * interval, max: Math.ceil(high / interval - 1e-9) * interval, interval };
}

export function valueAxis({ unit, range, place, color, states, colors, isShown }) {
  const decimals = String(Number(range.interval.toPrecision(6))).split(".")[1]?.length ?? 0;
  return {
    type: "value",
    show: isShown,
    min: range.min,
    max: range.max,
    interval: states ? 1 : range.interval,
    position: place % 2 ? "right" : "left",
    offset: Math.floor(place / 2) * 56,
    name: unit,
    nameGap: 6,
    nameTextStyle: { color: color ?? colors.text2, fontSize: 11, align: place % 2 ? "left" : "right", padding: [0, place % 2 ? 0 : 2, 0, place % 2 ? 2 : 0] },
    axisLine: { show: true, lineStyle: { color: color ?? colors.line } },
    axisTick: { show: false },
    axisLabel: {
      color: color ?? colors.text2, fontSize: 11, hideOverlap: true, width: 52, overflow: "truncate",
      formatter: (value) => (states ? (states[Math.round(value)] ?? "") : formatNumber(value, decimals)),
    },
    splitLine: { show: place === 0, lineStyle: { color: colors.line, width: 1 } },
  };
}

// The plant's clock. ECharts knows only the browser's zone and UTC, so the axis is drawn in UTC with its times moved by
// the zone's offset; labels are made from the true instant, hence right even across a change of summer time.
export class PlantClock {
  constructor(zone) {
    const options = { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" };
    this.format = new Intl.DateTimeFormat("en-CA", options);
  }

  parts(time) {
    return Object.fromEntries(this.format.formatToParts(time).map((part) => [part.type, part.value]));
  }

  shiftAt(time) {
    const p = this.parts(time);
    return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) - Math.floor(time / 1000) * 1000;
  }

  full(time) {
    const p = this.parts(time);
    return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
  }

  tick(time, span) {
    const p = this.parts(time);
    const isMidnight = p.hour === "00" && p.minute === "00" && p.second === "00";
    if (span > 2 * HOUR && isMidnight) return `${p.month}-${p.day}`;
    if (span > 5 * DAY) return `${p.month}-${p.day} ${p.hour}h`;
    return span < 5 * MINUTE ? `${p.hour}:${p.minute}:${p.second}` : `${p.hour}:${p.minute}`;
  }
}
