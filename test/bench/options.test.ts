import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { readOptions } from '../../bench/compare/options.ts'
import { readRows, rowLabel, usual } from '../../bench/compare/workload/row.ts'

test('without flags all targets of the serve case are measured in enough rounds for an interval', async t => {
  const options = readOptions([])
  t.match(options, {
    plan: {
      case: 'serve',
      targets: [
        'serve',
        'serve-info',
        'serve-pipelining',
        'floor-request',
        'floor-dispatch',
        'fetch-zod',
        'go',
        'rust',
        'rust-pipelining',
        'nginx',
      ],
      rounds: 15,
      filler: 'fields',
    },
    print: 'tables',
    write: false,
  })
  t.same(options?.plan?.rows.map(rowLabel), ['1', '5', '20', '100', '20, 10 KB', '5, 8 callers', '5, 512 callers'])
})

test('the app without a log has its own targets and rows', async t => {
  const options = readOptions(['--case', 'app'])
  t.match(options, {
    plan: { targets: ['service', 'service-trusted', 'floor-request', 'floor-dispatch', 'fetch-zod', 'go'] },
  })
  t.same(options?.plan?.rows.map(rowLabel), ['1', '5', '20', '100'])
})

test('flags are read', async t => {
  const argv =
    '--fanouts 5,20 --rounds 3 --ms 400 --callers 512 --body-bytes 1048576 --filler string ' +
    '--delay-ms 20 --targets serve,floor-request --json --svg a.svg'
  const rows = [5, 20].map(fanout => ({ fanout, callers: 512, bodyBytes: 1_048_576 }))
  t.match(readOptions(argv.split(' ')), {
    plan: { targets: ['serve', 'floor-request'], rows, rounds: 3, windowMs: 400, filler: 'string', delayMs: 20 },
    print: 'json',
    svg: 'a.svg',
  })
  t.same(readOptions(['--from', 'run.json', '--write']), {
    from: 'run.json',
    print: 'tables',
    svg: undefined,
    write: true,
    limits: false,
  })
})

test('a row says its bodies and its callers, and has the usual ones otherwise', async t => {
  t.same(readRows('20+10kb,5+512callers,1+64b+2callers,100', usual), [
    { fanout: 20, bodyBytes: 10_240, callers: 32 },
    { fanout: 5, bodyBytes: 110, callers: 512 },
    { fanout: 1, bodyBytes: 64, callers: 2 },
    { fanout: 100, bodyBytes: 110, callers: 32 },
  ])
})

test('another checkout is a target of its own, compared with this one', async t => {
  const folder = t.testdir({ src: { 'cli.ts': '' } })
  t.throws(() => readOptions(['--against', folder]), /--against: .* has no node_modules/)
  mkdirSync(join(folder, 'node_modules'))
  t.match(readOptions(['--against', folder]), {
    plan: { against: folder, targets: ['serve', 'other', 'floor-request', 'floor-dispatch'] },
  })
  t.match(readOptions(['--against', folder, '--targets', 'other-pipelining,serve']), {
    plan: { targets: ['other-pipelining', 'serve'] },
  })
  t.throws(() => readOptions(['--against', join(folder, 'src')]), /--against: .* is not a checkout/)
  t.throws(() => readOptions(['--case', 'app', '--against', folder]), /--against requires --case serve/)
  t.throws(() => readOptions(['--targets', 'other']), /--targets: unknown target 'other': use serve, /)
})

test('an invalid option is refused with the name of its flag', async t => {
  for (const [argv, message] of [
    [['--case', 'cat'], /--case must be serve or app, got 'cat'/],
    [['--targets', 'service'], /--targets: unknown target 'service': use serve, /],
    [['--fanouts', '0'], /--fanouts: '0' has the fan-out 0: use 1 to 100/],
    [['--fanouts', '5+5000callers'], /--fanouts: '5\+5000callers' has the number of callers 5000: use 1 to \d+/],
    [['--fanouts', '5+big'], /--fanouts must list fan-outs such as .*, got '5\+big'/],
    [['--callers', ''], /--callers must be a whole number from 1 to 1000, got ''/],
    [['--filler', 'noise'], /--filler must be fields or string, got 'noise'/],
    [['--json', '--markdown'], /--json and --markdown/],
    [['--svg', 'a.svg', '--targets', 'serve'], /--svg: the chart is relative to floor-request/],
    [['--write', '--targets', 'serve'], /--write: the chart is relative to floor-request/],
    [['--write', '--case', 'app'], /--write requires --case serve/],
    [['--limits', '--case', 'app'], /--limits requires --case serve/],
    [['--limits', '--json'], /--limits prints lines of its own/],
    [['--limits', '--markdown'], /--limits prints lines of its own/],
  ] as const)
    t.throws(() => readOptions(argv), message)
})
