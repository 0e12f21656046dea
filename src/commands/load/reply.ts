/** What an answer is worth: the words of Headwaters, and `other` for what is well but has no envelope. */
export const replies = ['whole', 'partial', 'other', 'refused', 'failed'] as const
export type Reply = (typeof replies)[number]

const whole = Buffer.from('"complete":true,"sources":')
const partial = Buffer.from('"complete":false,"sources":')

/** Judges an answer by its status, its headers and the end of its body. */
export function replyOf(status: number, headers: Readonly<Record<string, unknown>>, tail: Buffer | undefined): Reply {
  if (status === 503 && headers['retry-after'] !== undefined) return 'refused'
  if (status >= 400) return 'failed'
  const { 'headwaters-complete': complete } = headers
  if (complete !== undefined) return complete === '?1' ? 'whole' : 'partial'
  if (tail === undefined || !String(headers['content-type']).includes('json')) return 'other'
  // The envelope comes after the data, so what it says is the last of these, whatever the data has.
  const [at, otherwiseAt] = [tail.lastIndexOf(whole), tail.lastIndexOf(partial)]
  if (at === otherwiseAt) return 'other'
  return at > otherwiseAt ? 'whole' : 'partial'
}
