import { Agent } from 'node:http'
import type { Heard } from './workers-service.ts'

/**
 * Callers that ask again as soon as they are answered, over connections that they keep or over a new one each time,
 * until told to end.
 */
export function callers(ask: (url: string, agent?: Agent) => Promise<Heard>, count: number) {
  const agents = Array.from({ length: count }, (_, index) =>
    index % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined,
  )
  const versions = new Map<number, number>()
  const failures: unknown[] = []
  let isOver = false
  const all = Promise.all(
    agents.map(async agent => {
      while (!isOver) {
        try {
          const { status, body } = await ask('/who', agent)
          if (status !== 200) failures.push(status)
          versions.set(body.data.version, (versions.get(body.data.version) ?? 0) + 1)
        } catch (error) {
          failures.push(error)
        }
      }
      agent?.destroy()
    }),
  )
  return {
    async end() {
      isOver = true
      await all
      return { versions, failures }
    },
  }
}
