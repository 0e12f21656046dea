import { test } from 'tap'
import { readOptions } from '../../bench/options.ts'

test('without flags all targets are measured in enough rounds for an interval', async t => {
  t.match(readOptions([]), { targets: ['service', 'service-trusted', 'floor-request', 'floor-dispatch', 'fetch-zod', 'go'], fanouts: [1, 5, 20, 100], rounds: 15, filler: 'fields', print: 'tables' })
})

test('flags are read', async t => {
  const argv = '--fanouts 5,20 --rounds 3 --ms 400 --callers 512 --body-bytes 1048576 --filler string --delay-ms 20 --targets service,floor-request --json --svg a.svg'
  t.match(readOptions(argv.split(' ')), { targets: ['service', 'floor-request'], fanouts: [5, 20], rounds: 3, windowMs: 400, callers: 512, bodyBytes: 1_048_576, filler: 'string', delayMs: 20, print: 'json', svg: 'a.svg' })
})

test('what cannot be is refused by the name of its flag', async t => {
  for (const [argv, message] of [
    [['--targets', 'rust'], /--targets: 'rust' is none of service, /],
    [['--fanouts', '0'], /--fanouts: '0' is not a whole number from 1 to 100/],
    [['--callers', ''], /--callers: '' is not/],
    [['--filler', 'noise'], /--filler: 'noise' is neither/],
    [['--json', '--markdown'], /--json and --markdown/],
    [['--svg', 'a.svg', '--targets', 'service'], /--svg: the chart is relative to floor-request/],
  ] as const) t.throws(() => readOptions(argv), message)
})
