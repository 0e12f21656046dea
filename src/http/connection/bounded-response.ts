import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http'
import { ServerResponse } from '../../core/node-http.ts'
import { countBodyOfRequest, countHead } from './received-bytes.ts'
import { closeIfUnread, hasBody } from './unread-body.ts'

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[]

/**
 * A response that closes its connection if it is written before the request's body is received and that body is large
 * or of unknown length. Every kind of reply calls `writeHead`.
 */
export class BoundedResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** True if the request was admitted before it was routed, so that its load is not checked again. */
  isAdmitted = false

  constructor(request: Request, options?: object) {
    // @ts-expect-error The second parameter is missing in the types.
    super(request, options)
    countHead(request.socket)
    if (hasBody(request)) countBodyOfRequest(request)
  }

  override writeHead(status: number, reason?: string | Headers, headers?: Headers): this {
    if (!this.req.complete) closeIfUnread(this.req, this)
    return super.writeHead(status, reason as string, headers)
  }
}
