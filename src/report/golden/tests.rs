//! Golden texts of stories made by hand.

use crate::report::testing::Story;

#[test]
fn the_story_that_never_ends_is_told_in_one_screen() {
    println!("{}", Story::forever_pending().golden());
}
