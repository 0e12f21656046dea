import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { announce } from '../announce.ts'
import { settings } from '../settings.ts'

/** Serves `/?n=5` with what a competent person writes by hand around one upstream call: width, slots, queue and merge, no more. */
export function serveFloor (call: () => Promise<unknown>) {
  const slots = boundedSlots()

  async function fanOut (count: number) {
    const facts: unknown[] = []
    facts.length = count
    let next = 0

    async function runner () {
      while (next < count) {
        const index = next++
        const waiting = slots.enter()
        if (waiting) await waiting
        try { facts[index] = await call() } finally { slots.leave() }
      }
    }

    await Promise.all(Array.from({ length: Math.min(settings.width, count) }, runner))
    return JSON.stringify({ data: { facts }, complete: true })
  }

  const server = createServer((request, response) => {
    const url = request.url ?? ''
    const count = Number(url.slice(url.indexOf('n=') + 2))
    if (!(count >= 1 && count <= 100)) {
      response.writeHead(400).end()
      return
    }
    fanOut(count).then(body => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      response.end(body)
    }, (error: unknown) => {
      console.error(error)
      response.writeHead(502, { 'content-length': 0 }).end()
    })
  })

  server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port))
}

function boundedSlots () {
  const { slots, queue } = settings
  // A ring, because shifting a long array would be part of the floor's price.
  const ring = Array.from<(() => void) | undefined>({ length: queue })
  let free: number = slots
  let first = 0
  let waiting = 0

  function enter (): Promise<void> | undefined {
    if (free > 0) {
      free--
      return undefined
    }
    if (waiting === queue) throw new Error('the queue is full')
    return new Promise(resolve => {
      ring[(first + waiting) % queue] = resolve
      waiting++
    })
  }

  function leave () {
    if (waiting === 0) {
      free++
      return
    }
    const admit = ring[first]
    ring[first] = undefined
    first = (first + 1) % queue
    waiting--
    admit?.()
  }

  return { enter, leave }
}
