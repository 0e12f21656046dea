import { join } from 'node:path'
import t, { test } from 'tap'
import { catalogue } from './patterns/catalogue.ts'
import { early, late, searchOf, type Search } from './patterns/cost.ts'
import { nearMisses, type Shape } from './patterns/near-misses.ts'
import { scan, type Found } from './patterns/scan.ts'

// Parsing all sources takes a second of CPU time, and the patterns take five.
t.setTimeout(120_000)

const found = scan(join(import.meta.dirname, '../..'))
const entryOf = ({ file, text }: Found) => catalogue[file]?.[text]
const fromOutside = found.filter(
  (each): each is Found & { readonly pattern: RegExp } =>
    typeof entryOf(each) === 'object' && each.pattern !== undefined,
)

/** Generated shapes that are tried with a million characters: those that cost most with 10,000. */
const slowest = 2

/** Why a search is not linear, with the text that shows it; nothing where no text shows it. */
function fault(search: Search, attacks: readonly Shape[], pattern: RegExp): string | undefined {
  const costs = new Map<Shape, number>()
  for (const shape of [...attacks, ...nearMisses(pattern)]) {
    const cost = early(search, shape)
    if (typeof cost === 'string') return `${JSON.stringify(shape)}: ${cost}`
    costs.set(shape, cost)
  }
  const worst = [...costs.keys()]
    .filter(shape => !attacks.includes(shape))
    .toSorted((a, b) => (costs.get(b) ?? 0) - (costs.get(a) ?? 0))
    .slice(0, slowest)
  for (const shape of [...attacks, ...worst]) {
    const why = late(search, shape)
    if (why !== undefined) return `${JSON.stringify(shape)}: ${why}`
  }
  return undefined
}

test('every regular expression of the sources has an entry, and every entry is of one', async t => {
  t.ok(found.length > 100, `${found.length} were found`)
  t.same(
    found.filter(each => entryOf(each) === undefined).map(({ file, text }) => `${file}: ${text}`),
    [],
    'add it to patterns/catalogue.ts, with attacks where it reads text from outside',
  )
  const known = new Set(found.map(({ file, text }) => `${file}: ${text}`))
  t.same(
    Object.entries(catalogue)
      .flatMap(([file, entries]) => Object.keys(entries).map(text => `${file}: ${text}`))
      .filter(each => !known.has(each)),
    [],
  )
})

test('the check finds patterns that are not linear', async t => {
  for (const [pattern, isRepeated] of [
    [/^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$/, false],
    [/\/+$/, false],
    [/\W+(\w)/g, true],
    [/^(?:a+)+$/, false],
  ] as const)
    t.type(fault(searchOf(pattern, isRepeated), [], pattern), 'string', String(pattern))
})

for (const each of fromOutside) {
  test(`${each.file}: ${each.text} takes linear time`, async t => {
    const attacks = (entryOf(each) as readonly (readonly [string, string, string])[]).map(([start, run, end]) => ({
      start,
      run,
      end,
    }))
    t.equal(fault(searchOf(each.pattern, each.isRepeated), attacks, each.pattern), undefined)
  })
}
