/** A request in parts, none of which is checked or repaired. */
export interface Parts {
  /** @default 'GET', or 'POST' with a body */
  readonly method?: string
  /** @default '/v1/cat-facts', or '/v1/postcards' with a body */
  readonly target?: string
  /** @default 'HTTP/1.1' */
  readonly version?: string
  /** Lines without their ends; one character is one byte. @default content-type: application/json with a body */
  readonly headers?: readonly string[]
  /** Text is written as UTF-8. */
  readonly body?: string | Buffer
  /** Whether the headers say how long the body is. @default true */
  readonly framed?: boolean
  /** What follows the request. @default '' */
  readonly rest?: string
}

/** Writes a request as it is. */
export function wireRequest({
  body,
  method = body === undefined ? 'GET' : 'POST',
  target = body === undefined ? '/v1/cat-facts' : '/v1/postcards',
  version = 'HTTP/1.1',
  headers = body === undefined ? [] : ['content-type: application/json'],
  framed = body !== undefined,
  rest = '',
}: Parts): Buffer {
  const content = Buffer.from(body ?? '')
  const lines = [
    `${method} ${target} ${version}`,
    'host: 127.0.0.1',
    ...headers,
    ...(framed ? [`content-length: ${content.length}`] : []),
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), content, Buffer.from(rest, 'latin1')])
}
