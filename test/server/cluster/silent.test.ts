import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { workersService } from './helpers/workers-service.ts'

/** Longer than a machine with much to do keeps a process waiting. */
const environment = { WORKER_HEARTBEAT_MS: '3000' }

test('a worker that is stopped is killed and replaced; another worker answers the connections on their way to it', async t => {
  const { ask, port, said, saidTimes } = await workersService(t, { environment })
  const kept = connect(port, '127.0.0.1', () => {
    kept.write('GET /who HTTP/1.1\r\nhost: a\r\n\r\n')
  })
  const [head] = await once(kept, 'data')
  const pid = Number(/"pid":(\d+)/.exec(String(head))?.[1])
  const closed = new Promise<void>(resolve => {
    kept
      .on('error', () => {})
      .on('close', () => resolve())
      .resume()
  })
  process.kill(pid, 'SIGSTOP')
  const answers = await Promise.all([ask('/who'), ask('/who'), ask('/who')])
  t.notOk(answers.some(({ status, body }) => status !== 200 || body.data.pid === pid))
  t.match(await said('sent no heartbeat'), { level: 50, worker: Number, workerPid: pid, heartbeatMs: 3000 })
  t.match(await said('worker exited unexpectedly'), { workerPid: pid, signal: 'SIGKILL' })
  await closed
  await saidTimes('listening', 3)
})
