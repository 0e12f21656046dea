import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { startService } from '../../helpers/service-process.ts'

/** A process that may have so few files that callers who connect and say nothing would take them all. */
export async function outOfFiles(t: Test): Promise<void> {
  const upstream = await rawUpstream(t, socket => {
    socket.end(json({ fact: 'Cats purr.', length: 10 }, 200, { connection: 'close' }))
  })
  const { port, said, log, stop, ended } = await startService(
    t,
    { HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGIN: upstream.origin },
    ['serve'],
    { files: 96 },
  )
  const ask = async () => {
    const asked = request({ host: '127.0.0.1', port, path: '/v1/cat-facts?count=1', agent: false }).end()
    const [response] = await once(asked, 'response')
    return {
      status: response.statusCode as number,
      body: JSON.parse(await text(response)) as { code?: string; complete?: boolean },
    }
  }
  t.match(await said('few file descriptors'), { level: 40, limit: 96 })
  t.match(await ask(), { status: 200 }, 'it works before')

  const idle: Socket[] = []
  t.teardown(() => {
    for (const socket of idle) socket.destroy()
  })
  for (let opened = 0; opened < 120; opened++) {
    const socket = connect(port, '127.0.0.1')
      .on('error', () => {})
      .resume()
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
    idle.push(socket)
  }
  t.match(await said('connection limit reached'), { level: 40, limit: Number })

  // Those who have said nothing for a second make room.
  const heard = new Set<string>()
  let answered = 0
  for (let times = 0; times < 3000 && answered < 10; times++) {
    const { status, body } = await ask()
    if (status === 200) answered++
    else heard.add(`${status} ${body.code}`)
  }
  t.equal(answered, 10)
  t.same(
    [...heard].filter(each => each !== '503 OVERLOADED'),
    [],
    'upstreams are called with descriptors of their own',
  )

  for (const socket of idle) socket.destroy()
  await said('below the limit again')
  t.equal((await ask()).status, 200)
  t.equal(log.filter(({ msg }) => msg.includes('connection limit reached')).length, 1)
  stop('SIGTERM')
  t.match(await ended, { code: 0 })
}
