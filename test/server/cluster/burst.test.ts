import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { connect } from 'node:net'
import { platform } from 'node:os'
import { test } from 'tap'
import { guardAccepts } from '../../../src/server/cluster/accept-guard.ts'
import { workersService } from './helpers/workers-service.ts'

const callers = 300

function exchange(port: number): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'),
    )
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

test(
  'of more callers at once than the primary may have descriptors each is answered, and the log names the limit once',
  { skip: platform() === 'linux' ? false : 'the limit is read on Linux alone' },
  async t => {
    const { port, log, said, stop, ended } = await workersService(t, { files: 128 })
    const answers = await Promise.all(Array.from({ length: callers }, () => exchange(port)))
    const counted = (start: string) => answers.filter(text => text.startsWith(start)).length
    t.comment(JSON.stringify({ ok: counted('HTTP/1.1 200 '), refused: counted('HTTP/1.1 503 ') }))
    t.equal(counted('HTTP/1.1 200 ') + counted('HTTP/1.1 503 '), callers)
    t.match(await said('descriptors are left in the primary'), { level: 40, limit: 128, msg: /ulimit -n/ })
    t.equal(log.filter(({ msg }) => msg.includes('left in the primary')).length, 1)
    t.match(await exchange(port), /^HTTP\/1\.1 200 /)
    stop('SIGTERM')
    t.same(await ended, { code: 0, signal: null })
  },
)

test('servers without the internals that are watched are left as they are', async t => {
  let few = 0
  guardAccepts({
    read: () => ({ limit: 4, open: 0 }),
    onFew: () => {
      few++
    },
  })
  const listening = channel('tracing:net.server.listen:asyncEnd')
  const served: unknown[][] = []
  let closed = 0
  const connection = Object.create({
    close: () => {
      closed++
    },
  }) as { close: () => void }
  for (const handle of [
    undefined,
    null,
    {},
    { onconnection: 1 },
    {
      onconnection: (...taken: unknown[]) => {
        served.push(taken)
      },
    },
  ]) {
    const server = Object.assign(new EventEmitter(), { _handle: handle })
    listening.publish({ server })
    // What the cluster does.
    server._handle = null
    server.emit('listening')
    await new Promise(setImmediate)
    if (typeof handle?.onconnection === 'function')
      for (const each of [undefined, connection]) handle.onconnection(0, each)
  }
  listening.publish({})
  t.same(served, [
    [0, undefined],
    [0, connection],
  ])
  connection.close()
  connection.close()
  t.equal(closed, 2)
  t.equal(few, 2)
})
