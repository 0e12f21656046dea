import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { test } from 'tap'
import { isTooDeep, maxDepth } from '../../../src/core/schema/depth.ts'
import { excessOf, measuredLength } from '../../../src/core/json/excess.ts'

/** Counts the items of lists and the fields of objects. */
function valuesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value)
  return inner.length + inner.reduce((sum: number, each) => sum + valuesOf(each), 0)
}

const nested = (depth: number, inside = '1') => `${'['.repeat(depth)}${inside}${']'.repeat(depth)}`
const dense = `"${'x'.repeat(measuredLength)}",${'[],'.repeat(10_000)}`
const oddText = fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ',', 'a', 'é', '\n', '/') })
const tree = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 6 },
    oddText,
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(oddText, tie('value'), { maxKeys: 5 }),
  ),
})).value

test('values are counted as they are in the value of a text, whatever is in its strings and between its values', async t => {
  fc.assert(
    fc.property(tree, value => {
      const count = valuesOf(value)
      for (const text of [JSON.stringify(value), JSON.stringify(value, null, ' \t\r\n')]) {
        t.equal(excessOf(text, count), undefined, text)
        if (count > 0) t.equal(excessOf(text, count - 1), 'values', text)
      }
    }),
    { numRuns: 300 },
  )
})

test('commas and brackets in strings are not counted', t => {
  const csv = JSON.stringify({ csv: '1,'.repeat(100_000) })
  t.equal(excessOf(csv, 1), undefined)
  t.equal(excessOf(JSON.stringify({ text: '[{'.repeat(100_000) }), 1), undefined)
  t.equal(excessOf(JSON.stringify(['\\"', '"[[[,,,', '\\\\']), 3), undefined)
  t.end()
})

test('the depth of a text that is long and dense is that of its value', t => {
  for (const inside of ['1', '"]"', '[]', '{ }', '[\n]', '{"a":[]}']) {
    for (const depth of [maxDepth - 3, maxDepth - 2, maxDepth - 1, maxDepth, maxDepth + 1]) {
      const text = `[${dense}${nested(depth, inside)}]`
      t.equal(excessOf(text, 100_000), isTooDeep(JSON.parse(text)) ? 'depth' : undefined, `${depth} around ${inside}`)
    }
  }
  t.end()
})

test('a text that is short, or has few brackets, is left to be measured by its value', t => {
  t.equal(excessOf(nested(measuredLength / 2 - 1, ''), 100_000), undefined)
  t.equal(excessOf(nested(measuredLength / 2, '1'), 100_000), 'depth')
  t.equal(excessOf(`[${nested(100)},"${'x'.repeat(measuredLength)}"]`, 100_000), undefined)
  t.end()
})

test('a text that is not JSON is left to the parser, or refused for its excess', t => {
  t.equal(excessOf(`["${'['.repeat(100_000)}`, 100_000), undefined, 'a string without an end')
  t.equal(excessOf('"\\', 0), undefined)
  t.equal(excessOf('['.repeat(100_000), 100_000), 'depth')
  t.equal(excessOf(','.repeat(100_000), 1000), 'values')
  t.equal(excessOf(']'.repeat(100_000), 1000), undefined)
  t.end()
})

/** Measures in a process of its own, since counting the coverage of a loop takes ten times as long as the loop. */
const measured = `
import { readFileSync } from 'node:fs'
import { excessOf } from ${JSON.stringify(new URL('../../../src/core/json/excess.ts', import.meta.url).href)}
const [first, part] = JSON.parse(readFileSync(0, 'utf8'))
const text = Buffer.from(first + part.repeat(${5 * 1024 * 1024} / part.length)).toString('utf8')
// The least of three times, since other processes of the machine add to the CPU time.
const times = [1, 2, 3].map(() => {
  const before = process.threadCpuUsage()
  excessOf(text, 1e9)
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
})
console.log(Math.min(...times))
`

test('a text that is as bad as can be takes little time', t => {
  for (const [what, part, first] of [
    ['brackets', '[', ''],
    ['values', '0,', '['],
    ['empty lists', '[],', '['],
    ['escaped quotes', '\\"', `[${'[],'.repeat(70_000)}"`],
    ['white space', ' ', `[${'[],'.repeat(70_000)}[`],
  ] as const) {
    // tap counts the coverage of its children by their environment.
    const args = ['-i', process.execPath, '--input-type=module', '--eval', measured]
    const input = JSON.stringify([first, part])
    const { stdout, stderr } = spawnSync('env', args, { input, encoding: 'utf8' })
    t.equal(stderr, '')
    t.ok(Number(stdout) < 200, `${what}: ${Number(stdout).toFixed(0)} ms for 5 MiB`)
  }
  t.end()
})
