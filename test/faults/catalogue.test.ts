import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import { catalogue, notApplicable } from './catalogue.ts'

const all = Array.from({ length: 115 }, (_, index) => index + 1)
const ran = Object.values(catalogue).flatMap(({ entries }) => entries)

test('every entry of the catalogue is run or does not apply, and none is both', t => {
  const run = new Set(ran.map(({ no }) => no))
  t.same(
    [...run, ...notApplicable.map(({ no }) => no)].sort((a, b) => a - b),
    all,
  )
  t.comment(
    `faults: ${run.size} of ${all.length} entries run, in ${ran.length} forms; ${notApplicable.length} do not apply`,
  )
  for (const { no, why } of notApplicable) t.comment(`${no} does not apply: ${why}`)
  t.end()
})

test('each letter has its own entries, and a file that runs them', t => {
  const files = readdirSync(import.meta.dirname)
  for (const [letter, { entries, from, to, more = [] }] of Object.entries(catalogue)) {
    t.same(
      entries.filter(({ no }) => (no < from || no > to) && !more.includes(no)),
      [],
      letter,
    )
    t.ok(files.some(file => file.startsWith(`${letter.toLowerCase()}-`) && file.endsWith('.test.ts')))
  }
  t.equal(new Set(ran.map(({ no, fault }) => `${no} ${fault}`)).size, ran.length, 'no two are alike')
  t.end()
})

test('the pages that name the number of faults have the right one', t => {
  const page = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
  const tried = all.length - notApplicable.length
  t.match(page('README.md'), `The tests in \`test/faults/\` cause ${tried} kinds of fault`)
  t.match(page('CONTRIBUTING.md'), `a catalogue of ${all.length} things`)
  t.match(page('CHANGELOG.md'), `${tried} of a catalogue of ${all.length} faults`)
  t.end()
})

test('the entry that CONTRIBUTING shows is an entry of the catalogue', t => {
  const page = readFileSync(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8')
  const compact = (code: string) => code.replaceAll(/[\s,]/g, '')
  const [, block = ''] = page.split('```ts\n')
  const shown = compact(block.split('```')[0] as string)
  t.match(shown, /^\{no:28/)
  const folder = new URL('lines/', import.meta.url)
  const entries = readdirSync(folder).map(file => compact(readFileSync(new URL(file, folder), 'utf8')))
  t.ok(entries.some(text => text.includes(shown)))
  t.end()
})
