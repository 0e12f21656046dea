import { once } from 'node:events'
import { poll } from '../reloads/poll.ts'

/** The heap of another process of Node.js. */
export interface InspectedHeap {
  /** Returns the used heap after garbage collection, in bytes. */
  used(): Promise<number>
  close(): void
}

interface Reply {
  readonly id?: number
  readonly result?: { readonly usedSize?: number }
}

/** Opens the inspector of a process that was started with `--inspect`. */
export async function inspectHeap(port: number): Promise<InspectedHeap> {
  let url = ''
  await poll('the inspector answers', async () => {
    const targets = await fetch(`http://127.0.0.1:${port}/json/list`).then(
      async reply => (await reply.json()) as readonly { readonly webSocketDebuggerUrl: string }[],
      () => [],
    )
    url = targets[0]?.webSocketDebuggerUrl ?? ''
    return url !== ''
  })
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const waiting = new Map<number, (reply: Reply) => void>()
  let count = 0
  socket.addEventListener('message', ({ data }) => {
    const reply = JSON.parse(data as string) as Reply
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply)
  })
  const ask = (method: string) =>
    new Promise<Reply>(resolve => {
      const id = ++count
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, method }))
    })

  return {
    async used() {
      // Finalizers release more objects.
      for (let time = 0; time < 3; time++) await ask('HeapProfiler.collectGarbage')
      const { result } = await ask('Runtime.getHeapUsage')
      return result?.usedSize as number
    },
    close: () => socket.close(),
  }
}
