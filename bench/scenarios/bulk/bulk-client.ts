import { request } from 'undici'

/** The progress of a bulk run, in items. */
export interface BulkProgress {
  readonly done: number
  readonly failed: number
}

/** A bulk run of a service. */
export interface BulkClient {
  readonly path: string
  pause(): Promise<void>
  resume(): Promise<void>
  progress(): Promise<BulkProgress>
}

/** Creates a bulk run of the aggregate `item`. */
export async function startBulkRun(port: number, items: number): Promise<BulkClient> {
  const origin = `http://127.0.0.1:${port}`
  const send = async (method: 'GET' | 'POST', path: string, body?: string) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/x-ndjson' }
    const reply = await request(`${origin}${path}`, { method, headers, body: body ?? null, headersTimeout: 0 })
    const text = await reply.body.text()
    if (reply.statusCode >= 300) throw new Error(`${method} ${path}: ${reply.statusCode} ${text}`)
    return JSON.parse(text) as BulkProgress & { readonly id: string }
  }
  const lines = Array.from({ length: items }, (_, id) => `{"params":{"id":"${id}"}}\n`).join('')
  const { id } = await send('POST', '/v1/bulk/item', lines)
  const path = `/v1/bulk/runs/${id}`
  return {
    path,
    pause: async () => void (await send('POST', `${path}/pause`)),
    resume: async () => void (await send('POST', `${path}/resume`)),
    progress: () => send('GET', path),
  }
}
