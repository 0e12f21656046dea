import { Agent, request } from 'undici'
import type { Teardown } from './serve-http.ts'

/** Sends requests at a steady rate, whether they are answered or not, until the test ends. */
export function steadyLoad(t: Teardown, url: string, perSecond: number): void {
  const dispatcher = new Agent({ connections: 64 })
  const startedAt = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * perSecond
    for (; sent < due; sent++)
      request(url, { dispatcher }).then(
        ({ body }) => body.dump(),
        () => {
          // The service ends before the load.
        },
      )
  }, 10)
  t.teardown(async () => {
    clearInterval(timer)
    await dispatcher.destroy()
  })
}
