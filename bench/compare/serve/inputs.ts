/** The input of one inbound request. */
export interface Input {
  readonly topic: string
  readonly lang?: string
  readonly maxLength?: number
}

/**
 * The inputs of the callers, used in turn: both optional query parameters, one of them, or neither. Two topics have
 * characters that must be encoded.
 */
export const inputs: readonly Input[] = [
  { topic: 'siamese', lang: 'en', maxLength: 200 },
  { topic: 'maine coon', lang: 'de-AT', maxLength: 140 },
  { topic: 'kočka', lang: 'cs' },
  { topic: 'manx' },
]

/** Inbound headers. Each target forwards all of them. */
export const headers = { 'accept-language': 'de-AT, de;q=0.8', 'x-tenant': 'acme-42' } as const

/** The names of the forwarded headers. */
export const forwarded = Object.keys(headers)

/** Returns the request target of the inbound request. */
export function inboundTarget({ topic, lang, maxLength }: Input, fanout: number): string {
  return `/v1/facts/${encodeURIComponent(topic)}?n=${fanout}${optional(lang, maxLength)}`
}

/** Returns the request target of one upstream call. */
export function outboundTarget({ topic, lang, maxLength }: Input, index: number): string {
  return `/topics/${encodeURIComponent(topic)}/fact?index=${index}${optional(lang, maxLength)}`
}

function optional(lang: string | undefined, maxLength: number | undefined) {
  return (
    (lang === undefined ? '' : `&lang=${encodeURIComponent(lang)}`) +
    (maxLength === undefined ? '' : `&max_length=${maxLength}`)
  )
}
