// Loaded only by pages with a chart, and only the parts of ECharts in use. SVG, because a console prints and zooms.
import * as echarts from "echarts/core";
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

echarts.use([LineChart, BarChart, GridComponent, TooltipComponent, AriaComponent, MarkLineComponent, SVGRenderer]);

export type Style = "accent" | "muted" | "ok" | "warn" | "danger" | "info";
export interface Series {
  name: string;
  values: (number | null)[];
  style?: Style;
}
export interface ChartPayload {
  kind: "line" | "bar" | "stacked";
  labels: string[];
  series: Series[];
  unit: "count" | "money" | "percent" | "minutes";
  currency?: string | null;
  now_index?: number | null;
  now_label?: string;
  summary: string;
}
type Chart = ReturnType<typeof echarts.init>;

const ROLE: Record<Style, string> = {
  accent: "--accent",
  muted: "--ink-3",
  ok: "--ok",
  warn: "--warn-fill",
  danger: "--danger-fill",
  info: "--info",
};

const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** ECharts cannot read oklch(): paint one pixel with the role and read the colour back. */
function colour(element: Element, role: string, alpha = 1): string {
  if (!probe) return "#888";
  probe.canvas.width = probe.canvas.height = 1;
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = getComputedStyle(element).getPropertyValue(role).trim() || "#888";
  probe.fillRect(0, 0, 1, 1);
  const [r = 0, g = 0, b = 0, a = 255] = probe.getImageData(0, 0, 1, 1).data;
  return `rgba(${r},${g},${b},${(a / 255) * alpha})`;
}

function formatter(payload: ChartPayload): (value: number | null | undefined) => string {
  const language = document.documentElement.lang || "en";
  const options: Intl.NumberFormatOptions =
    payload.unit === "money" && payload.currency
      ? { style: "currency", currency: payload.currency, maximumFractionDigits: 0 }
      : payload.unit === "percent"
        ? { style: "percent", maximumFractionDigits: 1 }
        : payload.unit === "minutes"
          ? { style: "unit", unit: "minute" }
          : {};
  const digits = payload.unit === "money" ? new Intl.NumberFormat(language, options).resolvedOptions() : null;
  const minor = digits ? 10 ** minorDigits(payload.currency ?? "USD") : 1;
  const format = new Intl.NumberFormat(language, options);
  return (value) => (value === null || value === undefined ? "–" : format.format(value / minor));
}

/** Money arrives in minor units, as everywhere. */
function minorDigits(currency: string): number {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

function axisFormatter(payload: ChartPayload): (value: number) => string {
  const minor = payload.unit === "money" && payload.currency ? 10 ** minorDigits(payload.currency) : 1;
  if (payload.unit === "percent") return formatter(payload);
  const format = new Intl.NumberFormat(document.documentElement.lang || "en", { notation: "compact" });
  return (value) => format.format(value / minor);
}

function seriesOptions(element: HTMLElement, payload: ChartPayload): object[] {
  return payload.series.map((series, index) => {
    const style = series.style ?? (index === 0 ? "accent" : "muted");
    const hue = colour(element, ROLE[style]);
    const shared = { name: series.name, data: series.values, itemStyle: { color: hue } };
    if (payload.kind !== "line") {
      return {
        ...shared,
        type: "bar",
        stack: payload.kind === "stacked" ? "all" : undefined,
        barMaxWidth: 26,
        itemStyle: { color: hue, borderRadius: payload.kind === "stacked" ? 0 : [4, 4, 0, 0] },
      };
    }
    return {
      ...shared,
      type: "line",
      showSymbol: payload.labels.length === 1,
      smooth: 0.25,
      smoothMonotone: "x",
      z: style === "accent" ? 3 : 1,
      lineStyle: { color: hue, width: style === "muted" ? 1.5 : 2.25, type: style === "muted" ? [4, 4] : "solid" },
      areaStyle: style === "accent" ? { color: fade(element) } : undefined,
      markLine: index === 0 ? nowLine(element, payload) : undefined,
    };
  });
}

function fade(element: HTMLElement): object {
  return {
    type: "linear",
    x: 0,
    y: 0,
    x2: 0,
    y2: 1,
    colorStops: [
      { offset: 0, color: colour(element, "--accent", 0.2) },
      { offset: 1, color: colour(element, "--accent", 0) },
    ],
  };
}

function nowLine(element: HTMLElement, payload: ChartPayload): object | undefined {
  if (payload.now_index === null || payload.now_index === undefined) return undefined;
  const ink = colour(element, "--ink-3");
  return {
    silent: true,
    symbol: "none",
    animation: false,
    lineStyle: { color: ink, width: 1, type: "solid", opacity: 0.5 },
    label: { formatter: payload.now_label ?? "now", color: ink, fontSize: 11, position: "insideEndTop", distance: 4, rotate: 0 },
    data: [{ xAxis: payload.now_index }],
  };
}

const MOST_NAMES = 16;

/** Names below bars are all said, slanted where they are close; of a line's moments some are enough. */
function axisLabels(element: HTMLElement, payload: ChartPayload): object {
  if (payload.kind === "line" || payload.labels.length > MOST_NAMES) {
    return { hideOverlap: true, interval: everyNth(element, payload), ...edges(payload) };
  }
  const room = element.clientWidth / payload.labels.length;
  const upright = room >= 90 || payload.labels.every((label) => label.length * 7 < room);
  return { interval: 0, rotate: upright ? 0 : 35, width: upright ? room : 84, overflow: "truncate" };
}

/** Labels about 70 px apart; an even step where there are many, so that hours stay hours. */
function everyNth(element: HTMLElement, payload: ChartPayload): number {
  const room = Math.max(1, Math.floor(element.clientWidth / 70));
  const step = Math.ceil(payload.labels.length / room);
  return (step > 1 && step % 2 ? step + 1 : step) - 1;
}

function edges(payload: ChartPayload): object {
  return payload.kind === "line" ? { alignMinLabel: "left", alignMaxLabel: "right" } : {};
}

export function render(element: HTMLElement, payload: ChartPayload, previous?: Chart): Chart {
  const chart = previous ?? echarts.init(element, undefined, { renderer: "svg" });
  const ink = colour(element, "--ink");
  const quiet = colour(element, "--ink-3");
  const line = colour(element, "--line");
  const font = getComputedStyle(document.body).fontFamily;
  const say = formatter(payload);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  chart.setOption(
    {
      animation: !calm,
      animationDuration: 500,
      animationDurationUpdate: 400,
      textStyle: { fontFamily: font },
      aria: { enabled: true, label: { description: payload.summary } },
      grid: { left: 8, right: 14, top: 16, bottom: 4, containLabel: true },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        backgroundColor: colour(element, "--raised"),
        borderColor: line,
        borderWidth: 1,
        padding: [8, 12],
        textStyle: { color: ink, fontSize: 12, fontFamily: font },
        axisPointer: { type: "line", lineStyle: { color: quiet, width: 1, type: [3, 3] } },
        valueFormatter: (value: unknown) => say(value as number | null),
      },
      xAxis: {
        type: "category",
        boundaryGap: payload.kind !== "line",
        data: payload.labels,
        axisLine: { lineStyle: { color: line } },
        axisTick: { show: false },
        axisLabel: { color: quiet, fontSize: 11, margin: 12, ...axisLabels(element, payload) },
      },
      yAxis: {
        type: "value",
        splitNumber: 4,
        minInterval: payload.unit === "count" ? 1 : undefined,
        splitLine: { lineStyle: { color: line } },
        axisLabel: { color: quiet, fontSize: 11, formatter: axisFormatter(payload) },
      },
      series: seriesOptions(element, payload),
    },
    { notMerge: false, replaceMerge: ["series"] },
  );
  return chart;
}

export type ChartLibrary = { render: typeof render };
export type { Chart };
