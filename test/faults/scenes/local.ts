import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { startService } from '../../helpers/service-process.ts'

/** A process that may have so few files that callers who connect and say nothing take them all. */
export async function outOfFiles (t: Test): Promise<void> {
  const upstream = await rawUpstream(t, socket => {
    socket.end(json({ fact: 'Cats purr.', length: 10 }, 200, { connection: 'close' }))
  })
  const { port, stop, ended } = await startService(t, { HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGIN: upstream.origin }, ['serve'], { files: 96 })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const ask = async () => {
    const asked = request({ host: '127.0.0.1', port, path: '/v1/cat-facts?count=1', agent }).end()
    const [response] = await once(asked, 'response')
    return { status: response.statusCode as number, body: JSON.parse(await text(response)) as { code?: string, complete?: boolean } }
  }
  t.match(await ask(), { status: 200 }, 'it works before')

  const idle: Socket[] = []
  t.teardown(() => { for (const socket of idle) socket.destroy() })
  const take = async (count: number) => {
    for (let opened = 0; opened < count; opened++) {
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      await Promise.race([once(socket, 'connect'), once(socket, 'close')])
      idle.push(socket)
    }
  }
  await take(120)

  let refused = 0
  for (let times = 0; times < 200 && refused < 40; times++) {
    const { status, body } = await ask()
    if (status === 503 && body.code === 'LOCAL_RESOURCES') refused++
    // It has found a descriptor that has come free: that one is taken too.
    else if (status === 200) await take(2)
    else t.fail(`${status} ${body.code}`)
  }
  t.equal(refused, 40)

  for (const socket of idle) socket.destroy()
  // The process closes them one by one as it hears of it.
  let { status, body } = await ask()
  for (let tries = 0; tries < 200 && body.code === 'LOCAL_RESOURCES'; tries++) ({ status, body } = await ask())
  t.equal(status, 200, `${body.code ?? 'answered'}: forty refusals of our own have opened no breaker`)
  stop('SIGTERM')
  t.match(await ended, { code: 0 })
}
