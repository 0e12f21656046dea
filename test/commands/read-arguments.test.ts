import { test } from 'tap'
import { readArguments } from '../../src/commands/read-arguments.ts'
import { UsageError } from '../../src/commands/usage-error.ts'

const options = {
  live: { type: 'boolean', default: false },
  out: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

test('options, values and file names are distinguished', async t => {
  const { values, positionals } = readArguments(['a', '--live', '--out', 'x', 'b'], options)
  t.match(values, { live: true, out: 'x', help: false })
  t.same(positionals, ['a', 'b'])
  t.same(readArguments(['--', '--live'], options).positionals, ['--live'])
  t.equal(readArguments(['--out=-1'], options).values.out, '-1')
  t.equal(readArguments(['--out', '-'], options).values.out, '-')
})

test('an error names the invalid argument, the nearest option and the fix', async t => {
  const refused = [
    [['--lively'], "unknown option '--lively': did you mean '--live'?"],
    [['--otu', 'x'], "unknown option '--otu': did you mean '--out'?"],
    [['-x'], "unknown option '-x'"],
    [['--live=yes'], "option '--live' takes no value, got 'yes'"],
    [['--out'], "option '--out' needs a value"],
    [['--out', '-1'], "option '--out' needs a value: for a value that begins with '-' write --out=-1"],
  ] as const
  for (const [args, said] of refused) {
    t.throws(() => readArguments(args, options), UsageError)
    try {
      readArguments(args, options)
    } catch (error) {
      t.equal((error as Error).message, said)
    }
  }
})
