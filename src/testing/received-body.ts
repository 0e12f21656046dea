import { isUtf8 } from 'node:buffer'
import { readJson } from '../core/json/parse.ts'
import { readMediaType } from '../core/media-type.ts'
import { fieldsOf, readQuery } from './read-fields.ts'

/** Reads a body by its `content-type`. A body that does not have the format of its type is its text or its bytes. */
export async function readBody(bytes: Buffer, contentType = ''): Promise<unknown> {
  if (bytes.length === 0) return undefined
  const type = readMediaType(contentType)?.type
  if (type === 'application/x-www-form-urlencoded') return readQuery(bytes.toString('utf8'))
  if (type === 'multipart/form-data') {
    try {
      return await readForm(bytes, contentType)
    } catch {
      // The parts do not have the boundary of the content type.
    }
  }
  if (!isUtf8(bytes)) return bytes
  const text = bytes.toString('utf8')
  try {
    return readJson(text)
  } catch {
    return text
  }
}

async function readForm(bytes: Buffer, contentType: string): Promise<unknown> {
  const form = await new Response(bytes, { headers: { 'content-type': contentType } }).formData()
  const entries = Array.from(form, async ([name, value]) => {
    if (typeof value === 'string') return [name, value] as const
    return [name, { filename: value.name, type: value.type, bytes: Buffer.from(await value.arrayBuffer()) }] as const
  })
  return fieldsOf<unknown>(await Promise.all(entries))
}
