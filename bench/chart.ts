import type { Measurement } from './measure.ts'
import { ratioOf } from './ratios.ts'
import { bracketsText } from './report.ts'
import { kindOf, twin } from './targets.ts'

/** Hues that are told apart with any sight, for a light and a dark page; the first is ours. */
const hues = [['#0072b2', '#56b4e9'], ['#8c959f', '#8b949e'], ['#d55e00', '#f0883e'], ['#009e73', '#2fbf93']] as const
const bar = { width: 34, gap: 5 } as const
const plot = { left: 48, top: 92, height: 250, groupGap: 44 } as const

interface Bar { readonly name: string, readonly median: number, readonly low: number, readonly high: number }

/** A chart as SVG: the CPU time of a call relative to `Pool.request`, a group of bars a fan-out, with the interval of each median. */
export function chartOf ({ targets, fanouts }: Measurement, caption: string): string {
  const names = targets.filter(name => name !== twin.name && name !== 'floor-request')
  const groups = fanouts.map(({ fanout, windows }) => ({
    fanout,
    bars: names.flatMap((name): Bar[] => {
      const ratio = ratioOf(windows, name, 'floor-request')
      return ratio === undefined ? [] : [{ name, ...ratio }]
    }),
  }))
  const rounds = Math.max(0, ...fanouts.flatMap(({ windows }) => windows.map(({ round }) => round + 1)))
  const top = Math.ceil(Math.max(1.5, ...groups.flatMap(({ bars }) => bars.map(({ high }) => high + 0.15))) * 2) / 2
  const groupWidth = names.length * (bar.width + bar.gap) - bar.gap
  const width = Math.max(620, plot.left + groups.length * (groupWidth + plot.groupGap) + 16)
  const bottom = plot.top + plot.height
  const y = (ratio: number) => round(bottom - ratio / top * plot.height)

  const grid = Array.from({ length: Math.floor(top) + 1 }, (_, ratio) => [
    `<line class="${ratio === 1 ? 'one' : 'grid'}" x1="${plot.left}" x2="${width - 16}" y1="${y(ratio)}" y2="${y(ratio)}"/>`,
    `<text class="axis" text-anchor="end" x="${plot.left - 8}" y="${y(ratio) + 4}">${ratio}</text>`,
  ].join('')).join('\n')
  let legendAt: number = plot.left
  const legend = names.map((name, index) => {
    const { label } = kindOf(name)
    const x = legendAt
    // The widest letters of a system's font; a little air is better than two labels that touch.
    legendAt += 18 + label.length * 8 + 16
    return `<rect class="hue${index}" x="${x}" y="62" width="12" height="12" rx="2"/><text x="${x + 18}" y="72">${escaped(label)}</text>`
  }).join('\n')
  const columns = groups.map(({ fanout, bars }, group) => {
    const left = plot.left + plot.groupGap / 2 + group * (groupWidth + plot.groupGap)
    return [
      ...bars.map(each => column(each, names.indexOf(each.name), left)),
      `<text class="axis" text-anchor="middle" x="${round(left + groupWidth / 2)}" y="${bottom + 20}">fan-out ${fanout}</text>`,
    ].join('\n')
  }).join('\n')

  function column ({ name, median, low, high }: Bar, index: number, left: number) {
    const x = left + index * (bar.width + bar.gap)
    const middle = x + bar.width / 2
    const [upper, lower] = [y(high), y(low)]
    return [
      `<rect class="hue${index}" x="${x}" y="${y(median)}" width="${bar.width}" height="${round(bottom - y(median))}"><title>${escaped(`${kindOf(name).label}: ${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`)}</title></rect>`,
      `<path class="whisker" d="M${middle} ${upper}V${lower}M${middle - 5} ${upper}h10M${middle - 5} ${lower}h10"/>`,
      `<text class="value" text-anchor="middle" x="${middle}" y="${round(upper - 6)}">${median.toFixed(2)}</text>`,
    ].join('')
  }

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 56}" width="${width}" height="${bottom + 56}" role="img" aria-labelledby="title">
<title id="title">CPU time of an upstream call, relative to Pool.request by hand</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.head { font-size: 16px; font-weight: 600 } .axis, .note { fill: #59636e } .note { font-size: 12px } .value { font-size: 12px; paint-order: stroke; stroke: #ffffff; stroke-width: 4px }
.page { fill: #ffffff } .grid { stroke: #d1d9e0 } .one { stroke: #1f2328; stroke-dasharray: 5 4 } .whisker { stroke: #1f2328; stroke-width: 1.5; fill: none }
${hues.map(([light], index) => `.hue${index} { fill: ${light} }`).join(' ')}
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .axis, .note { fill: #9198a1 } .value { stroke: #0d1117 }
.page { fill: #0d1117 } .grid { stroke: #30363d } .one, .whisker { stroke: #f0f6fc }
${hues.map(([, dark], index) => `.hue${index} { fill: ${dark} }`).join(' ')}
}
</style>
<rect class="page" width="${width}" height="${bottom + 56}" rx="6"/>
<text class="head" x="${plot.left}" y="28">CPU time of an upstream call, Pool.request by hand = 1</text>
<text class="note" x="${plot.left}" y="47">Lower is better. Bars: median of the ratios of each round; whiskers: ${bracketsText(rounds)}.</text>
${legend}
${grid}
${columns}
<text class="note" x="${plot.left}" y="${bottom + 43}">${escaped(caption)}</text>
</svg>
`
}

function round (value: number) {
  return Math.round(value * 10) / 10
}

function escaped (text: string) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
