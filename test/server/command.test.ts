import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test } from 'tap'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
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
    [['serve', 'nowhere'], "serve: no such file or folder: 'nowhere'; check the path"],
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
    [{ PORT: 'x' }, [/PORT: must be an integer from 0 to 65535/]],
    [
      { HEADWATERS_UPSTREAM_DOGFACTS_ORIGIN: 'http://127.0.0.1' },
      [/HEADWATERS_UPSTREAM_DOGFACTS_ORIGIN: matches no upstream: the upstreams are .*meowfacts/],
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

/** The command in each of its forms: one process, one that watches definitions, and several. */
const forms = (path: string) => [['serve'], ['serve', path, '--watch'], ['serve', '--workers', '2']]

test('an address at which the service cannot listen ends the start with 1 and names the variable to set', async t => {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { path } = definitionsFolder(t, { 'words.ts': words('http://127.0.0.1:1') })
  const refused = [
    [
      { HOST: '127.0.0.1', PORT: String(port) },
      `cannot listen at 127.0.0.1:${port}: the port is in use (EADDRINUSE); set PORT to another port, or to 0 for any free port`,
    ],
    [
      { HOST: '192.0.2.1', PORT: '3000' },
      'cannot listen at 192.0.2.1:3000: the machine does not have this address (EADDRNOTAVAIL); ' +
        'set HOST to an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all',
    ],
    [
      { HOST: '2001:db8::1', PORT: '3000' },
      /^headwaters: cannot listen at \[2001:db8::1\]:3000: .* \((?:EADDRNOTAVAIL|EAFNOSUPPORT)\); set HOST to /,
    ],
  ] as const
  for (const [environment, said] of refused)
    for (const args of forms(path)) {
      const { code, output, errors } = await runCommand(t, args, environment)
      t.equal(code, 1, args.join(' '))
      t.equal(output, '')
      if (typeof said === 'string') t.equal(errors, `headwaters: ${said}\n`)
      else t.match(errors, said)
      t.notMatch(errors, /\bat .*:\d+:\d+/, 'without a stack')
    }
})
