import { connect } from 'node:net'
import { platform } from 'node:os'
import type { Test } from 'tap'
import { definitionsFolder } from '../../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { startService } from '../../helpers/service-process.ts'

const definitions = (origin: string) => `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const [one, two, three] = ['one', 'two', 'three'].map(name => defineUpstream(name, { origin: '${origin}', attemptTimeout: 20_000 }, {
  ask: operation({ path: '/', output: z.unknown() }),
}))
export const all = aggregate('all', { url: '/all', deadline: 20_000 })
  .required('a', () => one.ask()).required('b', () => two.ask()).required('c', () => three.ask())
  .reply(z.unknown(), ({ a }) => a)
`

function exchange(port: number, onConnected = () => {}): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET /all HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
      onConnected()
    })
    socket
      .on('error', error => {
        text ||= String((error as NodeJS.ErrnoException).code)
      })
      .on('data', part => {
        text += String(part)
      })
      .on('close', () => resolve(text))
  })
}

/** Many more callers at once than the process may have descriptors, for an aggregate of three upstreams. */
export async function fewDescriptors(t: Test): Promise<void> {
  if (platform() !== 'linux') return t.comment('the limit is read on Linux alone')
  const callers = 300
  let connected = 0
  // The first callers keep their connections until the last has one, however slowly they come.
  const all = Promise.withResolvers<void>()
  const upstream = await rawUpstream(t, socket => {
    void all.promise.then(() => socket.write(json(1)))
  })
  const { path } = definitionsFolder(t, { 'all.ts': definitions(upstream.origin) })
  const { port, said, log, stop, ended } = await startService(t, { LOG_LEVEL: 'info' }, ['serve', path], { files: 128 })
  t.match(await said('few file descriptors'), { level: 40, limit: 128 })
  const answers = await Promise.all(
    Array.from({ length: callers }, () =>
      exchange(port, () => {
        if (++connected === callers) all.resolve()
      }),
    ),
  )
  const whole = answers.filter(text => text.startsWith('HTTP/1.1 200 ')).length
  t.ok(whole >= 20, `${whole} of ${callers} are answered whole`)
  t.same(
    answers.filter(text => !/^HTTP\/1\.1 (?:200 |503 .*\r\nretry-after: 1\r\n.*"code":"OVERLOADED")/s.test(text)),
    [],
    'none is reset, and no upstream lacks a descriptor',
  )
  t.equal(log.filter(({ msg }) => msg.includes('connection limit reached')).length, 1)
  await said('below the limit again')
  for (let times = 0; times < 5; times++) t.match(await exchange(port), /^HTTP\/1\.1 200 /)
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
}
