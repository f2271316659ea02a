"$scbench" tasks show linked_list
