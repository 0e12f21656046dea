// node bench/scenarios/dashboard/reader.ts [admin port]: opens a dashboard without a browser when its parent asks for it.
// It reads the events and drops them.
import { get, type IncomingMessage } from 'node:http'
import { announce } from '../../lib/announce.ts'

/** A message from the parent. */
export type ReaderCommand =
  /** Opens the dashboard. The answer is sent when the first event arrives. */
  | { readonly open: true }
  /** Closes it. The answer is `Received`. */
  | { readonly close: true }

/** The events that the reader has received since it was opened. */
export interface Received {
  readonly events: number
  readonly bytes: number
}

const port = Number(process.argv[2])
let stream: IncomingMessage | undefined
let events = 0
let bytes = 0

function open(): void {
  get({ port, host: '127.0.0.1', path: '/dashboard/events', agent: false }, response => {
    if (response.statusCode !== 200) throw new Error(`the events were answered with ${response.statusCode}`)
    stream = response
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      for (let at = chunk.indexOf('\nid: '); at !== -1; at = chunk.indexOf('\nid: ', at + 1)) events++
    })
    response.on('error', () => {})
    response.once('data', () => process.send?.({}))
  })
}

process.on('message', (message: Partial<Record<'open' | 'close', true>>) => {
  if (message.open === true) {
    events = 0
    bytes = 0
    open()
  } else if (message.close === true) {
    stream?.destroy()
    process.send?.({ events, bytes } satisfies Received)
  }
})

announce(port)
