import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { serveHttp, type Teardown } from './serve-http.ts'
import { until } from './until.ts'

/** A request whose body is collected as it arrives. */
export interface Upload {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly chunks: Buffer[]
  /** True if the whole body has arrived. */
  isWhole: boolean
  /** True if the connection closed before the whole body had arrived. */
  isCut: boolean
  readonly response: ServerResponse
  readonly request: IncomingMessage
}

export interface UploadServer {
  readonly origin: string
  readonly uploads: readonly Upload[]
  /** Resolves with an upload when `is` holds for it. */
  upload(index: number, is?: (upload: Upload) => boolean): Promise<Upload>
}

/** Answers an upload as JSON. */
export function answer({ response }: Upload, status = 200, value: unknown = null): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

/**
 * Starts a server that collects bodies.
 *
 * @param whole is called when a whole body has arrived; the default answers it
 * @param started is called when the headers have arrived
 */
export async function uploadServer(
  t: Teardown,
  whole: (upload: Upload, index: number) => void = upload => answer(upload),
  started: (upload: Upload, index: number) => void = () => {},
): Promise<UploadServer> {
  const uploads: Upload[] = []
  const server = createServer((request, response) => {
    const { method = '', headers } = request
    const upload: Upload = { method, headers, chunks: [], isWhole: false, isCut: false, response, request }
    const index = uploads.push(upload) - 1
    request.on('data', (chunk: Buffer) => upload.chunks.push(chunk))
    request.on('error', () => {})
    request.on('close', () => {
      upload.isCut = !upload.isWhole
    })
    request.on('end', () => {
      upload.isWhole = true
      whole(upload, index)
    })
    started(upload, index)
  })
  return {
    origin: await serveHttp(t, server),
    uploads,
    async upload(index, is = () => true) {
      await until(() => uploads[index] !== undefined && is(uploads[index]))
      return uploads[index] as Upload
    },
  }
}
