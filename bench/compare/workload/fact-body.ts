const sentence = 'A cat has more bones than a human: 230 against 206, most of them in its tail. '
const breeds = ['Siamese', 'Persian', 'Maine Coon', 'Manx', 'Norwegian Forest Cat']

/** Content of a large body. */
export type Filler = 'fields' | 'string'

/**
 * Returns a JSON body with a number of bytes, or with one byte more. The body is a fact with one long string, or a
 * short fact with a list of objects with six fields each.
 */
export function factBody(bytes: number, filler: Filler): string {
  const details: string[] = []
  let room = filler === 'string' ? 0 : bytes - `{"fact":"${sentence}","length":100,"details":[]}`.length
  for (let detail = detailOf(0); detail.length + 1 <= room; detail = detailOf(details.length)) {
    details.push(detail)
    room -= detail.length + 1
  }
  const rest = details.length === 0 ? '' : `,"details":[${details.join(',')}]`
  const left = bytes - '{"fact":"","length":}'.length - rest.length
  // The digits of the length are also part of the body.
  const length = Math.max(1, left - String(left - String(left).length).length)
  const fact = sentence.repeat(Math.ceil(length / sentence.length)).slice(0, length)
  return `{"fact":"${fact}","length":${length}${rest}}`
}

function detailOf(index: number) {
  const breed = breeds[index % breeds.length] as string
  return JSON.stringify({
    id: 1000 + index,
    name: `Cat ${index}`,
    breed,
    weightKg: 2.5 + (index % 40) / 10,
    indoor: index % 3 === 0,
    traits: ['calm', breed.toLowerCase()],
  })
}
