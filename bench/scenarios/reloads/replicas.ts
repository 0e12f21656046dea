import type { ListeningProcess } from '../../lib/child.ts'
import { startDelayUpstream } from '../../lib/start-delay-upstream.ts'
import { TeardownList } from '../replicas/teardown-list.ts'
import { startServe } from '../start-serve.ts'
import { startBalancer } from './balancer.ts'
import { writeDefinitions } from './definitions.ts'
import { poll } from './poll.ts'

/** Replicas of one service behind nginx. */
export interface Replicas {
  /** The port of nginx. */
  readonly port: number
  /** Changes the definitions, and resolves when each replica replies with their version. */
  reload(version: number): Promise<void>
  /** Replaces one replica after the other, as an orchestrator does, and resolves when the last old one has ended. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** Starts replicas on core 1, and nginx on core 0. */
export async function startReplicas(count: number, delayMs: number): Promise<Replicas> {
  const all = new TeardownList()
  const replicas: ListeningProcess[] = []
  const start = () => startServe('replica', definitions.url, { HEADWATERS_ENV: 'development' })
  const upstream = await startDelayUpstream(delayMs)
  const definitions = writeDefinitions(`http://127.0.0.1:${upstream.port}`)
  all.teardown(() => definitions.remove())
  all.teardown(() => Promise.all(replicas.map(replica => replica.stop())))
  // One after the other: they share a core.
  while (replicas.length < count) replicas.push(await start())
  const ports = () => replicas.map(({ port }) => port)
  const balancer = await startBalancer(ports())
  all.teardown(() => balancer.stop())

  return {
    port: balancer.port,
    async reload(version) {
      definitions.write(version)
      for (const { pid } of replicas) process.kill(pid, 'SIGHUP')
      for (const { port } of replicas)
        await poll(`version ${version}`, async () => {
          const reply = await fetch(`http://127.0.0.1:${port}/leaf`)
          return ((await reply.json()) as { version: number }).version === version
        })
    },
    async restart() {
      for (let index = 0; index < count; index++) {
        const old = replicas[index] as ListeningProcess
        replicas[index] = await start()
        await balancer.use(ports())
        process.kill(old.pid, 'SIGTERM')
        await poll('a drained replica ends', async () => !isRunning(old.pid))
        await old.stop()
      }
    },
    close: () => all.end(),
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
