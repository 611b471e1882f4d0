/* Shows that programs like it can be compiled and run here. */
int main(void) {
  return 42;
}
