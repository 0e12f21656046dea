import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { chartOf } from '../../bench/compare/report/chart.ts'
import { markdownOf, ratioTableOf } from '../../bench/compare/report/markdown.ts'
import { filled, projectRoot, withoutOther, writePages } from '../../bench/compare/report/pages.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { measurementOf } from '../helpers/measurement.ts'

const begin = '<!-- bench: written by `npm run bench -- --write` -->'
const end = '<!-- /bench -->'

test('a text takes the place of what is between the comments, as often as it is written', async t => {
  const page = `# Title\n\n${begin}\nold\n${end}\n\nrest\n`
  const once = filled(page, 'new', 'page.md')
  t.equal(once, `# Title\n\n${begin}\n\nnew\n\n${end}\n\nrest\n`)
  t.equal(filled(once, 'new', 'page.md'), once)
})

test('a page without the comments is refused', async t => {
  for (const page of ['', begin, end, `${end}${begin}`])
    t.throws(() => filled(page, 'new', 'page.md'), /page\.md lacks the comments/)
})

test('the pages of this checkout have the comments', async t => {
  for (const page of ['README.md', 'bench/README.md'])
    t.doesNotThrow(() => filled(readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8'), 'new', page))
})

test('another checkout is not in the table of the README', async t => {
  const measurement = measurementOf({ serve: 30, other: 20, 'other-pipelining': 10, 'floor-request': 25 }, '5', 6)
  t.equal(
    ratioTableOf(withoutOther(measurement), [5]),
    '|  | fan-out of 5 |\n| --- | --- |\n| µs a call with Headwaters | 30.8 |\n| ratio to `Pool.request` | 1.20 |\n',
  )
})

test('a result is rendered again without measuring', async t => {
  const measurement = measurementOf({ serve: 30, 'floor-request': 25 }, '5,20+10kb', 6)
  const result = { date: '2026-01-01', node: '24', cpu: 'a CPU', plan: { rounds: 6, windowMs: 1000 }, measurement }
  const folder = t.testdir({ 'run.json': JSON.stringify(result) })
  const svg = join(folder, 'chart.svg')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(import.meta.dirname, '../../bench/compare/run.ts'),
      '--from',
      join(folder, 'run.json'),
      '--markdown',
      '--svg',
      svg,
    ],
    { env: childEnvironment },
  )
  t.equal(stdout, `${markdownOf(measurement)}\n`)
  t.equal(readFileSync(svg, 'utf8'), chartOf(measurement, '2026-01-01, Node 24, a CPU; 6 rounds of 1000 ms'))
})

test('a result is written into both pages and into a chart for a light page and one for a dark page', async t => {
  for (const page of ['README.md', 'bench/README.md', 'docs/images/bench-light.svg', 'docs/images/bench-dark.svg'])
    t.ok(existsSync(join(projectRoot, page)), page)
  const page = `${begin}${end}`
  const root = t.testdir({ 'README.md': page, bench: { 'README.md': page }, docs: { images: {} } })
  const measurement = measurementOf({ serve: 30, 'floor-request': 25 }, '5,20', 6)
  const result = { date: '2026-01-01', node: '24', cpu: 'a CPU', plan: { rounds: 6, windowMs: 1000 }, measurement }
  writePages(result as unknown as Parameters<typeof writePages>[0], root)
  const read = (name: string) => readFileSync(join(root, name), 'utf8')
  t.match(read('README.md'), '| fan-out of 5 | fan-out of 20 |')
  t.match(read('bench/README.md'), '2026-01-01')
  for (const scheme of ['light', 'dark'] as const)
    t.equal(
      read(`docs/images/bench-${scheme}.svg`),
      chartOf(measurement, '2026-01-01, Node 24, a CPU; 6 rounds of 1000 ms', scheme),
    )
})
