// Text files that the bundler takes in.
declare module "*.txt" {
  const text: string;
  export default text;
}
