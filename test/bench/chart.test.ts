import { test } from 'tap'
import { caseOf } from '../../bench/compare/cases.ts'
import { chartOf } from '../../bench/compare/report/chart.ts'
import { measurementOf } from '../helpers/measurement.ts'
import { elementsOf } from '../helpers/svg.ts'

const measurement = measurementOf(
  { service: 30, 'floor-request': 25, 'floor-dispatch': 20, 'floor-dispatch-twin': 20, go: 40 },
  '1,20',
  6,
)
const chart = chartOf(measurement, 'Node <24> & Go')

test('the chart is well-formed, and what is not would be seen', async t => {
  t.equal(elementsOf(chart)[0]?.name, 'svg')
  t.throws(() => elementsOf(chart.replace('</style>', '')))
  t.throws(() => elementsOf(chart.replace('&amp;', '&')))
})

test('rows of other bodies and callers are left to the tables', async t => {
  const more = chartOf(measurementOf({ service: 30, 'floor-request': 25 }, '1,20+10kb,5+512callers', 6), '')
  t.same(
    elementsOf(more)
      .filter(({ text }) => text.startsWith('fan-out'))
      .map(({ text }) => text),
    ['fan-out 1'],
  )
})

test('the chart says each ratio to Pool.request, draws Pool.request as a line, and leaves out the twin', async t => {
  const elements = elementsOf(chart)
  t.same(
    elements.filter(({ attributes }) => attributes['class'] === 'value').map(({ text }) => text),
    ['1.20', '0.80', '1.60', '1.20', '0.80', '1.60'],
  )
  t.equal(elements.filter(({ attributes }) => attributes['class'] === 'one').length, 1)
  t.same(elements.filter(({ attributes }) => attributes['class'] === 'whisker').length, 6)
  t.notMatch(chart, 'twice')
  t.match(chart, 'Node &lt;24&gt; &amp; Go')
  for (const words of ['Headwaters', 'pool.dispatch', 'Go net/http', 'fan-out 1<', 'fan-out 20<', '95 % interval'])
    t.ok(chart.includes(words), words)
})

test('a bar is as high as its ratio, and all is within the picture', async t => {
  const elements = elementsOf(chart)
  const bars = elements
    .filter(
      ({ name, attributes: { class: hue = '', rx } }) => name === 'rect' && hue.startsWith('hue') && rx === undefined,
    )
    .map(({ attributes }) => attributes)
  const [service = NaN, dispatch = NaN, go = NaN] = bars.map(({ height }) => Number(height))
  t.ok(Math.abs(service / go - 0.75) < 0.01)
  t.ok(Math.abs(dispatch / go - 0.5) < 0.01)
  const [, , width = NaN, height = NaN] = (elements[0]?.attributes['viewBox'] ?? '').split(' ').map(Number)
  for (const bar of bars) {
    t.ok(Number(bar['x']) > 0 && Number(bar['x']) + Number(bar['width']) < width)
    t.ok(Number(bar['y']) > 90 && Number(bar['y']) + Number(bar['height']) < height)
  }
})

test('the chart has its own colours for a light page and for a dark one', async t => {
  const [light = '', dark = ''] = chart.split('@media (prefers-color-scheme: dark)')
  for (const rule of ['.page {', '.hue0 {', '.hue2 {', 'text {'])
    t.ok(light.includes(rule) && dark.includes(rule), rule)
})

test('a chart of one page has the colours of that page alone, and is otherwise the same', async t => {
  const [light, dark] = (['light', 'dark'] as const).map(scheme => chartOf(measurement, '', scheme)) as [string, string]
  const plain = (svg: string) => svg.replaceAll(/#[0-9a-f]{6}/g, '#')
  t.not(light, dark)
  t.equal(plain(light), plain(dark))
  t.notMatch(light + dark, 'prefers-color-scheme')
  t.match(light, '.page { fill: #ffffff }')
  t.match(dark, '.page { fill: #0d1117 }')
})

test('every target of the serve case has a hue, and a legend that is too long has another line', async t => {
  const names = caseOf('serve').targets
  const wide = chartOf(measurementOf(Object.fromEntries(names.map(name => [name, 30])), '5', 6), '')
  const elements = elementsOf(wide)
  const squares = elements
    .filter(({ attributes: { rx, class: hue = '' } }) => rx === '2' && hue.startsWith('hue'))
    .map(({ attributes }) => attributes)
  t.equal(squares.length, names.length - 1)
  for (const { class: hue } of squares) t.ok(wide.includes(`.${hue} {`))
  t.ok(new Set(squares.map(({ y }) => y)).size > 1)
  const width = Number(elements[0]?.attributes['width'])
  for (const {
    attributes: { x },
    text,
  } of elements.filter(({ name, attributes }) => name === 'text' && attributes['class'] === undefined))
    t.ok(Number(x) + text.length * 8 <= width, text)
  const value = Math.min(
    ...elements
      .filter(({ attributes }) => attributes['class'] === 'value')
      .map(({ attributes }) => Number(attributes['y'])),
  )
  t.ok(value > Math.max(...squares.map(({ y }) => Number(y))), 'bars begin below the legend')
})
