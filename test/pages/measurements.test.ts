import { test } from 'tap'
import { missingCommands, unprintedMeasurements } from './helpers/measurements.ts'
import { pages, textOf } from './helpers/pages.ts'

for (const page of pages)
  test(`each measurement in ${page} is in a section that names the command which prints it`, t => {
    t.same(unprintedMeasurements(textOf(page)), [])
    t.end()
  })
for (const page of pages)
  test(`each npm script and each file that ${page} runs exists`, t => {
    t.same(missingCommands(textOf(page)), [])
    t.end()
  })

test('a measurement without a command is found in a paragraph, a list and a table', t => {
  for (const text of [
    'A hit takes 1 µs.',
    'The layer costs 3 % of the CPU time.',
    '- One call took\n  12 ms before.',
    '| copy | 5.6 µs |',
    'It was measured at 120 requests per second.',
    'It is 1.47 times as fast: measured in May.',
    'This saves 40 MiB.',
    '## One\n\nA hit takes 1 µs.\n\n## Two\n\n`npm run bench:steps` prints it.',
  ])
    t.equal(unprintedMeasurements(text).length, 1, text)
  t.end()
})

test('a measurement beside its command, a limit, a default and a worked example are left alone', t => {
  for (const text of [
    '## Cost\n\n`npm run bench:steps` prints these.\n\nA hit takes 1 µs.',
    '`headwaters load URL --rate 200` on two cores:\n\nIt took 218 ms.',
    'The attempt may take 1000 ms.',
    'A miss of `getTimeout` (100 ms) costs nothing.',
    'The collection uses at most 5 % of the CPU time.',
    'An example: a call that costs 30 ms is sent 33 times per second.',
    'It costs 0.2 · 2000 = 400 calls, 20 % of all.',
    '```text\nbusy 10 % of the CPU\n```',
  ])
    t.same(unprintedMeasurements(text), [], text)
  t.end()
})

test('a script or a file that does not exist is found', t => {
  t.same(missingCommands('`npm run bench:none`, `npm run -s bench`, `npm run check`'), ['bench:none'])
  t.same(missingCommands('`node bench/none.ts` and `node src/cli.ts`'), ['bench/none.ts'])
  t.end()
})
