import { hash } from './random.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const ID_LENGTH = 9

/** Returns the id, the URL and the size in pixels of a picture. Equal numbers give the same picture. */
export function picture(seed: number, number: number, extension = 'jpg') {
  const own = hash(seed, number)
  const id = Array.from({ length: ID_LENGTH }, (_, index) => ALPHABET.charAt(hash(own, index) % ALPHABET.length)).join(
    '',
  )
  return {
    id,
    url: `https://cdn2.thecatapi.com/images/${id}.${extension}`,
    width: 400 + (hash(own, ID_LENGTH) % 1200),
    height: 300 + (hash(own, ID_LENGTH + 1) % 1200),
  }
}
