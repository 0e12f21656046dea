import { test } from 'tap'
import { readArguments } from '../../src/commands/read-arguments.ts'
import { UsageError } from '../../src/commands/usage-error.ts'

const options = {
  live: { type: 'boolean', default: false },
  out: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

test('options are told from values and file names', async t => {
  const { values, positionals } = readArguments(['a', '--live', '--out', 'x', 'b'], options)
  t.match(values, { live: true, out: 'x', help: false })
  t.same(positionals, ['a', 'b'])
  t.same(readArguments(['--', '--live'], options).positionals, ['--live'])
})

test('an argument that cannot be used is named, with the option it is near to', async t => {
  const refused = [
    [['--lively'], "unknown option '--lively': did you mean '--live'?"],
    [['--otu', 'x'], "unknown option '--otu': did you mean '--out'?"],
    [['-x'], "unknown option '-x'"],
    [['--live=yes'], '--live'],
    [['--out'], '--out'],
  ] as const
  for (const [args, said] of refused) {
    t.throws(() => readArguments(args, options), UsageError)
    try {
      readArguments(args, options)
    } catch (error) {
      t.match((error as Error).message.split('\n')[0], said)
    }
  }
})
