import type { Measurement } from '../measure/measure.ts'
import { ratioOf } from './ratios.ts'
import { bracketsText } from './tables.ts'
import { rowLabel } from '../workload/row.ts'
import { twin } from '../targets.ts'

/**
 * Colours for the targets on a light page and on a dark page. Color-blind readers can distinguish them. Headwaters has
 * the first colour.
 */
const hues = [
  ['#0072b2', '#56b4e9'],
  ['#8c959f', '#8b949e'],
  ['#d55e00', '#f0883e'],
  ['#009e73', '#2fbf93'],
  ['#cc79a7', '#e3a3c6'],
  ['#b08900', '#e6c229'],
  ['#5e3c99', '#b2a1e0'],
  ['#4d4d4d', '#d0d0d0'],
  ['#7a4b1f', '#c9a27a'],
] as const

/** The page that a chart is for. */
export type Scheme = 'light' | 'dark'

/** The other colours: text, secondary text, page, grid, and the lines of intervals. */
const pageColors = {
  light: { text: '#1f2328', quiet: '#59636e', page: '#ffffff', grid: '#d1d9e0' },
  dark: { text: '#f0f6fc', quiet: '#9198a1', page: '#0d1117', grid: '#30363d' },
} as const
const bar = { width: 28, gap: 4 } as const
const plot = { left: 48, top: 92, height: 250, groupGap: 44 } as const
/** Height of one line of the legend. */
const legendLine = 22

interface Bar {
  readonly name: string
  readonly median: number
  readonly low: number
  readonly high: number
}

/**
 * Draws a chart as SVG: the CPU time of a call relative to `Pool.request`, with a group of bars per fan-out and the
 * interval of each median. With `scheme`, the chart has the colours of a light or a dark page. Without `scheme`, it has
 * both, and the system of the reader selects one.
 */
export function chartOf({ targets, labels, rows: all }: Measurement, caption: string, scheme?: Scheme): string {
  // Omit the rows with other bodies and callers: a chart with all rows is too wide to read. The tables have them.
  const rows = all.filter(({ row }) => rowLabel(row) === String(row.fanout))
  const labelOf = (name: string) => labels[name] ?? name
  const names = targets.filter(name => name !== twin.name && name !== 'floor-request')
  const groups = rows.map(({ row, windows }) => ({
    label: `fan-out ${rowLabel(row)}`,
    bars: names.flatMap((name): Bar[] => {
      const ratio = ratioOf(windows, name, 'floor-request')
      return ratio === undefined ? [] : [{ name, ...ratio }]
    }),
  }))
  const rounds = Math.max(0, ...rows.flatMap(({ windows }) => windows.map(({ round }) => round + 1)))
  const top = Math.ceil(Math.max(1.5, ...groups.flatMap(({ bars }) => bars.map(({ high }) => high + 0.15))) * 2) / 2
  const groupWidth = names.length * (bar.width + bar.gap) - bar.gap
  const width = Math.max(620, plot.left + groups.length * (groupWidth + plot.groupGap) + 16)
  let legendAt: number = plot.left
  let line = 0
  const legend = names
    .map((name, index) => {
      // Assume the widest letters of a system font: extra space is better than overlapping labels.
      const size = 18 + labelOf(name).length * 8 + 16
      if (legendAt > plot.left && legendAt + size > width - 16) {
        legendAt = plot.left
        line++
      }
      const [x, y] = [legendAt, 62 + line * legendLine]
      legendAt += size
      return (
        `<rect class="hue${index}" x="${x}" y="${y}" width="12" height="12" rx="2"/><text ` +
        `x="${x + 18}" y="${y + 10}">${escaped(labelOf(name))}</text>`
      )
    })
    .join('\n')
  const bottom = plot.top + line * legendLine + plot.height
  const y = (ratio: number) => round(bottom - (ratio / top) * plot.height)

  const grid = Array.from({ length: Math.floor(top) + 1 }, (_, ratio) =>
    [
      `<line class="${ratio === 1 ? 'one' : 'grid'}" x1="${plot.left}" x2="${width - 16}" y1="${y(ratio)}" y2="${y(ratio)}"/>`,
      `<text class="axis" text-anchor="end" x="${plot.left - 8}" y="${y(ratio) + 4}">${ratio}</text>`,
    ].join(''),
  ).join('\n')
  const columns = groups
    .map(({ label, bars }, group) => {
      const left = plot.left + plot.groupGap / 2 + group * (groupWidth + plot.groupGap)
      return [
        ...bars.map(each => column(each, names.indexOf(each.name), left)),
        `<text class="axis" text-anchor="middle" x="${round(left + groupWidth / 2)}" y="${bottom + 20}">${label}</text>`,
      ].join('\n')
    })
    .join('\n')

  function column({ name, median, low, high }: Bar, index: number, left: number) {
    const x = left + index * (bar.width + bar.gap)
    const middle = x + bar.width / 2
    const [upper, lower] = [y(high), y(low)]
    const title = escaped(`${labelOf(name)}: ${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`)
    return [
      `<rect class="hue${index}" x="${x}" y="${y(median)}" width="${bar.width}" ` +
        `height="${round(bottom - y(median))}"><title>${title}</title></rect>`,
      `<path class="whisker" d="M${middle} ${upper}V${lower}M${middle - 5} ${upper}h10M${middle - 5} ${lower}h10"/>`,
      `<text class="value" text-anchor="middle" x="${middle}" y="${round(upper - 6)}">${median.toFixed(2)}</text>`,
    ].join('')
  }

  const legendText = `Lower is better. Bars: median of the ratios of each round; whiskers: ${bracketsText(rounds)}`
  const size = `width="${width}" height="${bottom + 56}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 56}" ${size} role="img" aria-labelledby="title">
<title id="title">CPU time of an upstream call, relative to Pool.request by hand</title>
<style>
${styleOf(scheme)}
</style>
<rect class="page" width="${width}" height="${bottom + 56}" rx="6"/>
<text class="head" x="${plot.left}" y="28">CPU time of an upstream call, Pool.request by hand = 1</text>
<text class="note" x="${plot.left}" y="47">${legendText}.</text>
${legend}
${grid}
${columns}
<text class="note" x="${plot.left}" y="${bottom + 43}">${escaped(caption)}</text>
</svg>
`
}

/** Returns the CSS of the chart: the rules of shape once, and the rules of colour for each requested page. */
function styleOf(scheme: Scheme | undefined): string {
  const shapes = `text { font: 13px system-ui, sans-serif } .head { font-size: 16px; font-weight: 600 } .note, .value { font-size: 12px }
.value { paint-order: stroke; stroke-width: 4px } .one { stroke-dasharray: 5 4 } .whisker { stroke-width: 1.5; fill: none }`
  const colors =
    scheme === undefined
      ? `${colorsOf('light')}\n@media (prefers-color-scheme: dark) {\n${colorsOf('dark')}\n}`
      : colorsOf(scheme)
  return `${shapes}\n${colors}`
}

function colorsOf(scheme: Scheme): string {
  const { text, quiet, page, grid } = pageColors[scheme]
  return `text { fill: ${text} } .axis, .note { fill: ${quiet} } .value { stroke: ${page} }
.page { fill: ${page} } .grid { stroke: ${grid} } .one, .whisker { stroke: ${text} }
${hues
  .map(pair => pair[scheme === 'light' ? 0 : 1])
  .map((hue, index) => `.hue${index} { fill: ${hue} }`)
  .join(' ')}`
}

function round(value: number) {
  return Math.round(value * 10) / 10
}

function escaped(text: string) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
