import { test } from 'tap'
import { runCommand } from '../helpers/service-process.ts'

test('input that cannot be read ends with 2, each fault by the option it was given with', async t => {
  const { code, output, errors } = await runCommand(t, ['run', 'cat-facts', '--count', 'many', '--max_length', '0'])
  t.equal(code, 2)
  t.equal(output, '')
  t.match(errors, /^400 Invalid input\n {2}--count: .+\n {2}--max_length: .+\n$/)
  const body = await runCommand(t, ['run', 'postcard', '--body', '{"greeting":"Hi","breeds":["siamese"]}'])
  t.equal(body.code, 2)
  t.match(body.errors, /^ {2}--body \/breeds\/0: /m)
})

test('arguments that cannot be used end with 2, by their name and with a suggestion', async t => {
  const refused = [
    [['run'], 'run needs the name of an aggregate'],
    [['run', 'cat-fact'], "unknown aggregate 'cat-fact': did you mean 'cat-facts'?"],
    [['run', 'weather'], "unknown aggregate 'weather': use cat-facts, breed, postcard"],
    [['run', 'cat-facts', '--cuont', '3'], "aggregate 'cat-facts' has no field --cuont: did you mean '--count'?"],
    [['run', 'cat-facts', '--count'], "option '--count' needs a value"],
    [['run', 'cat-facts', '-c'], "unknown option '-c'"],
    [['run', 'cat-facts', '--deadline', '0'], "--deadline must be a positive integer (ms), got '0'"],
    [['run', 'cat-facts', '--fault', 'mew=drop'], "--fault must name a step, got 'mew': did you mean 'meow'?"],
    [['run', 'cat-facts', '--fault', 'meow'], "--fault must be STEP=FAULT, got 'meow': write for example meow=drop"],
    [['run', 'cat-facts', 'nowhere.ts'], "no such file or folder: 'nowhere.ts'"],
  ] as const
  for (const [args, said] of refused) {
    const { code, output, errors } = await runCommand(t, args)
    t.equal(code, 2, args.join(' '))
    t.equal(output, '')
    t.match(errors.split('\n')[0], said)
    t.match(errors, 'Usage: headwaters run')
    t.notMatch(errors, /\bat .*:\d+:\d+/, 'without a stack')
  }
})

test('--help after a name lists what that aggregate takes', async t => {
  const { code, output } = await runCommand(t, ['run', 'breed', '--help'])
  t.equal(code, 0)
  t.match(
    output,
    /Fields of breed\n {2}--breed string {9}required; The name of a breed.*\n {2}--facts integer 0\.\.20 {2}default 3; The number of facts/,
  )
})
