import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test } from 'tap'
import { runCommand } from '../helpers/service-process.ts'

test('--help says how it is used', async t => {
  for (const args of [['--help'], ['-h'], ['serve', '--help']]) {
    const { code, output, errors } = await runCommand(t, args)
    t.equal(code, 0, args.join(' '))
    t.match(output, /^headwaters: .*\n\nUsage: headwaters /)
    for (const word of ['serve', '--live', '--help', 'PORT', 'HEADWATERS_UPSTREAM_<NAME>_ORIGIN', 'Exit codes'])
      t.match(output, word)
    t.equal(errors, '')
  }
})

test('a command or an option that is not known is refused with 2, by its name and with the help', async t => {
  for (const [args, said] of [
    [['--lively'], '--lively'],
    [['sevre'], 'sevre'],
    [['serve', 'serve'], 'serve serve'],
    [['--live=yes'], '--live'],
    [['-x'], '-x'],
  ] as const) {
    const { code, output, errors } = await runCommand(t, args)
    t.equal(code, 2, args.join(' '))
    t.equal(output, '')
    t.match(errors, /^headwaters: /)
    t.match(errors.split('\n')[0], said)
    t.match(errors, 'Usage: headwaters')
    t.notMatch(errors, /\bat .*:\d+:\d+/, 'without a stack')
  }
})

test('configuration that cannot be used ends the start with 2, and each fault by its name', async t => {
  const refused = [
    [{ PORT: 'x' }, [/PORT: .*number/]],
    [
      { HEADWATERS_UPSTREAM_DOGFACTS_ORIGIN: 'http://127.0.0.1' },
      [/HEADWATERS_UPSTREAM_DOGFACTS_ORIGIN: names no upstream: there are .*meowfacts/],
    ],
    [{ HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: 'nonsense' }, [/HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: .*(?:http|origin)/]],
    [
      { HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: 'http://me:secret@127.0.0.1' },
      [/HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: /],
    ],
    [
      { PORT: '70000', LOG_LEVEL: 'loud', HEADWATERS_UPSTREAM_WIKIPEDIA_OFF: 'yes' },
      [/PORT: /, /LOG_LEVEL: /, /HEADWATERS_UPSTREAM_WIKIPEDIA_OFF: /],
    ],
  ] as const
  for (const [environment, faults] of refused) {
    const { code, output, errors } = await runCommand(t, ['serve'], environment)
    t.equal(code, 2, Object.keys(environment).join())
    t.equal(output, '')
    for (const fault of faults) t.match(errors, fault)
    t.notMatch(errors, 'secret')
    t.notMatch(errors, /\bat .*:\d+:\d+/, 'without a stack')
  }
})

test('a port that is taken ends the start with 1 and says so', async t => {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { code, output, errors } = await runCommand(t, ['serve'], { PORT: String(port) })
  t.equal(code, 1)
  t.match(output + errors, /EADDRINUSE/)
})
