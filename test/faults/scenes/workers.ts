import type { Test } from 'tap'
import { whoAnswers, workersService, type WorkersServiceOptions } from '../../server/cluster/helpers/workers-service.ts'

/** Longer than a machine with much to do keeps a process waiting. */
const environment = { WORKER_HEARTBEAT_MS: '3000' }

/** A service with two workers, of which one gets `fault`; every later caller is answered by another one. */
async function replaced(
  t: Test,
  options: WorkersServiceOptions,
  fault: (pid: number, ask: (url: string) => Promise<unknown>) => void,
  said: string,
): Promise<void> {
  const service = await workersService(t, options)
  const { pid } = (await service.ask('/who')).body.data
  // Connections are given out in turn, so the next one but one is again with this worker.
  await service.ask('/who')
  fault(pid, service.ask)
  const line = await service.said(said)
  await service.saidTimes('listening', 3)
  const answers = await whoAnswers(service.ask, 4)
  t.notOk(answers.some(who => who.pid === line['workerPid']))
  t.equal(new Set(answers.map(who => who.pid)).size, 2)
  service.stop('SIGTERM')
  t.same(await service.ended, { code: 0, signal: null })
}

/** A worker that is killed. */
export const killed = (t: Test): Promise<void> =>
  replaced(t, {}, pid => process.kill(pid, 'SIGKILL'), 'worker exited unexpectedly')

/** A worker that is stopped and gives no heartbeat. */
export const stopped = (t: Test): Promise<void> =>
  replaced(t, { environment }, pid => process.kill(pid, 'SIGSTOP'), 'sent no heartbeat')

/** A worker whose loop never turns again. */
export const spinning = (t: Test): Promise<void> =>
  replaced(
    t,
    { environment },
    (_pid, ask) => {
      void ask('/spin').catch(() => {})
    },
    'sent no heartbeat',
  )
